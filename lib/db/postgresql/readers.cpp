#include "db/postgresql/readers.hpp"

#include "db/postgresql/copy_text.hpp"
#include "db/postgresql/faults.hpp"
#include "db/postgresql/page_ranges.hpp"
#include "db/postgresql/postgresql.hpp"
#include "db/postgresql/range_queue.hpp"
#include "db/postgresql/row_versions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

constexpr int kTidRangeScans = 140000;       // the first version that has TID range scans
constexpr std::uint64_t kFewPages = 1024;    // 8 MiB: one reader is done before others connect
constexpr std::uint64_t kPagesShared = 512;  // 4 MiB: as much is read at a time by all together
constexpr std::size_t kQueuedBytes = std::size_t{4} << 20U;
constexpr std::size_t kReadBytes = std::size_t{128} << 10U;
/// Ranges per reader where few rows are sent, so that the queue does not limit their size. More
/// than one, since the readers are not equally fast.
constexpr std::uint64_t kRangesOfFew = 4;

constexpr const char* kBegin = "SAVEPOINT abgleich_ranges; SET LOCAL enable_seqscan = off";
constexpr const char* kEnd =
    "ROLLBACK TO SAVEPOINT abgleich_ranges; RELEASE SAVEPOINT abgleich_ranges";
/// Another session may wait for an exclusive lock, behind the lock of the first reader. The other
/// readers would then wait behind that session for ever: it waits for the first reader, and the
/// first reader for the others.
constexpr const char* kDoNotQueue = "SET LOCAL lock_timeout = '100ms'";

/// Tells the server and the snapshot: two connections are in the same snapshot exactly if their
/// answers are the same. A URL with several hosts may lead to another server.
constexpr const char* kWhereAmI =
    "SELECT concat_ws(' ', pg_postmaster_start_time(), txid_current_snapshot())";

// Asked before, since a failed export would abort the transaction. A savepoint does not help: a
// subtransaction cannot export a snapshot.
constexpr const char* kMayExport =
    "SELECT has_function_privilege('pg_export_snapshot()', 'EXECUTE')";

constexpr const char* kSize =
    "SELECT pg_relation_size(c.oid) / current_setting('block_size')::bigint FROM pg_class c"
    " JOIN pg_am a ON a.oid = c.relam"
    " WHERE c.oid = CAST($1 AS oid) AND c.relkind IN ('r', 'm') AND NOT c.relhassubclass"
    " AND a.amname = 'heap'";

std::string one_value(PostgresConnection& connection, std::string_view sql,
                      std::span<const Cell> parameters = {}) {
  std::string value;
  connection.query(sql, parameters,
                   [&](std::span<const Cell> row) { value = std::string(row[0].bytes); });
  return value;
}

PostgresConnection& server_of(const Session& session) {
  return dynamic_cast<PostgresConnection&>(*session.connection);
}

/// The settings of one connection while a table is read. The savepoint's rollback undoes them.
class Turn {
 public:
  explicit Turn(PostgresConnection& connection) : connection_(connection) {
    connection_.execute_script(kBegin);
  }
  ~Turn() {
    try {
      connection_.execute_script(kEnd);
    } catch (const Fault&) {  // NOLINT(bugprone-empty-catch)
      // the connection was lost: its next statement will fail
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// Whether the table can be locked for reading at once.
  [[nodiscard]] bool locks(const std::string& touch) const {
    try {
      connection_.execute_script(kDoNotQueue);
      connection_.execute(touch);
    } catch (const Fault& fault) {
      if (fault.state() != kLockNotAvailable) {
        throw;
      }
      return false;
    }
    return true;
  }
  [[nodiscard]] PostgresConnection& connection() const { return connection_; }

 private:
  PostgresConnection& connection_;
};

struct Unwanted {};

/// One reader's work, from its first range to its last. Never throws.
void read_ranges(PostgresConnection& connection, const Readers::Reading& reading,
                 const PageRanges& ranges, const Fingerprinter& fingerprinter,
                 RangeQueue& queue) noexcept {
  try {
    while (const auto range = queue.claim()) {
      auto batch = queue.spare();
      connection.read_unknown(
          reading.select(ranges.condition(*range)), reading.leading,
          [&](std::string_view place, std::string_view key, std::string_view row) {
            const auto begin = batch.text.size();
            if (reading.leading.places > 0) {
              batch.text += place;
              batch.text += '\t';
            }
            batch.text += row;
            batch.lines.push_back({.begin = begin,
                                   .size = batch.text.size() - begin,
                                   .place = place.size(),
                                   .row = fingerprinter.of(row),
                                   .key = fingerprinter.of(key)});
            if (batch.text.size() >= kReadBytes) {
              if (!queue.put(*range, std::move(batch))) {
                throw Unwanted{};
              }
              batch = queue.spare();
            }
            return true;
          },
          {});
      if (!batch.lines.empty() && !queue.put(*range, std::move(batch))) {
        return;
      }
      queue.close(*range);
    }
  } catch (const Unwanted&) {  // NOLINT(bugprone-empty-catch)
    // the taker wants no more rows, and has a reason of its own
  } catch (...) {
    queue.fail(std::current_exception());
  }
}

/// The readers' threads. They end before the objects that they use are destroyed.
class Crew {
 public:
  explicit Crew(RangeQueue& queue) : queue_(queue) {}
  ~Crew() {
    queue_.stop();
    for (auto& thread : threads_) {
      thread.join();
    }
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  template <class Work>
  void add(Work work) {
    threads_.emplace_back(std::move(work));
  }
  [[nodiscard]] bool empty() const { return threads_.empty(); }

 private:
  RangeQueue& queue_;
  std::vector<std::thread> threads_;
};

}  // namespace

Readers::Readers(const Endpoint& endpoint, PostgresConnection& first)
    : endpoint_(endpoint), first_(first) {}

Readers::~Readers() {
  for (auto& session : others_) {
    rollback(session);
  }
}

/// Connects as many others as the server accepts, and brings them into the first one's snapshot.
void Readers::call() {
  called_ = true;
  if (PQserverVersion(first_.raw()) < kTidRangeScans) {
    shortfall_ = "one connection reads the primary: PostgreSQL 14 or newer is needed for several";
    return;
  }
  if (one_value(first_, kMayExport) != "t") {
    shortfall_ = "one connection reads the primary: this role may not export a snapshot";
    return;
  }
  const auto snapshot = one_value(first_, "SELECT pg_export_snapshot()");
  const auto here = one_value(first_, kWhereAmI);
  while (std::cmp_less(others_.size() + 1, endpoint_.workers)) {
    std::string why;
    try {
      auto session = open(endpoint_, Access::read);
      begin_snapshot(session);
      auto& server = server_of(session);
      // a parameter is not possible here; the server made the name of digits and hyphens
      server.execute(fmt::format("SET TRANSACTION SNAPSHOT '{}'", snapshot));
      if (one_value(server, kWhereAmI) == here) {
        others_.push_back(std::move(session));
        continue;
      }
      why = "another server answers at its url";
    } catch (const Fault& fault) {
      why = "the server does not let more in (SQLSTATE " + fault.state() + ")";
    }
    shortfall_ = fmt::format("{} of {} connections read the primary: {}", others_.size() + 1,
                             endpoint_.workers, why);
    return;
  }
}

/// 0: one reader is enough.
std::uint64_t Readers::pages_to_share(const Reading& reading) {
  if (endpoint_.workers < 2) {
    return 0;
  }
  std::uint64_t pages = reading.pages.value_or(0);
  if (!reading.pages) {
    const auto oid = std::to_string(reading.table);
    const Cell parameter = text_cell(oid);
    const bool may_ask = one_value(first_, fmt::format("SELECT {}", may_select_size())) == "t";
    const auto digits = may_ask ? one_value(first_, kSize, {&parameter, 1}) : std::string();
    std::from_chars(digits.data(), digits.data() + digits.size(), pages);
  }
  if (pages < kFewPages) {
    return 0;
  }
  if (!called_) {
    call();
  }
  return others_.empty() ? 0 : pages;
}

bool Readers::read(const Reading& reading, const Fingerprinter& fingerprinter,
                   const Source::IsKnown& known, const OnCells& row) {
  const auto pages = pages_to_share(reading);
  if (pages == 0) {
    return false;
  }
  std::vector<std::unique_ptr<Turn>> turns;
  turns.push_back(std::make_unique<Turn>(first_));
  for (const auto& session : others_) {
    auto turn = std::make_unique<Turn>(server_of(session));
    if (turn->locks(reading.touch)) {
      turns.push_back(std::move(turn));
    }
  }
  const PageRanges ranges(pages,
                          std::max<std::uint64_t>(1, reading.share == Share::whole
                                                         ? kPagesShared / turns.size()
                                                         : pages / (kRangesOfFew * turns.size())));
  RangeQueue queue(ranges.count(), kQueuedBytes);
  Crew crew(queue);
  try {
    for (const auto& turn : turns) {
      crew.add([&, &connection = turn->connection()] {
        read_ranges(connection, reading, ranges, fingerprinter, queue);
      });
    }
  } catch (const std::system_error&) {
    if (crew.empty()) {
      return false;
    }
  }
  std::vector<Cell> cells;
  RowMark mark;
  for (LineBatch batch; queue.take(batch);) {
    for (const auto& line : batch.lines) {
      const std::span<char> bytes(batch.text.data() + line.begin, line.size);
      mark.place = std::string_view(bytes.data(), line.place);
      mark.row = line.row;
      mark.key = line.key;
      if (!known(mark)) {
        split_copy_line(bytes, cells);
        row(cells, mark);
      }
    }
  }
  return true;
}

}  // namespace abgleich::db::postgresql

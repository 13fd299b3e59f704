#include "db/postgresql/postgres_connection.hpp"

#include "db/postgresql/cancel.hpp"
#include "db/postgresql/copy_text.hpp"
#include "db/postgresql/cursor.hpp"
#include "db/postgresql/filler.hpp"
#include "db/postgresql/hex.hpp"
#include "db/postgresql/loader.hpp"
#include "db/postgresql/lock_holder.hpp"
#include "db/postgresql/select_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sys/socket.h>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

void drop_notice(void* /*unused*/, const PGresult* /*unused*/) {}

struct FreeCopyBuffer {
  void operator()(char* buffer) const { PQfreemem(buffer); }
};
using CopyBuffer = std::unique_ptr<char, FreeCopyBuffer>;

/// libpq keeps what it is given until the server takes it. It gets pieces of this size, so that it
/// does not keep the whole batch.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;

constexpr std::string_view kTransactionAborted = "25P02";

constexpr std::string_view kIsItPostgreSql =
    "is it a PostgreSQL server, and does sslmode=verify-full prove that it is the right one? "
    "Nothing was changed";

/// If the width differs, the other end is not a PostgreSQL server, or something in the network has
/// changed what it sent.
void require_width(const Peer& peer, std::size_t width, std::size_t expected) {
  if (width != expected) {
    throw Fault(Fault::Cause::other, "08P01",
                Error{.code = refusal_code(peer.access),
                      .message = fmt::format("the {} sent a row of {} columns in place of {} "
                                             "(SQLSTATE 08P01)",
                                             name_of(peer.role), width, expected),
                      .hint = std::string(kIsItPostgreSql)});
  }
}

/// How many rows a statement read or changed.
std::int64_t affected(PGresult* result) {
  const std::string_view digits = PQcmdTuples(result);
  std::int64_t rows = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  return rows;
}

std::size_t width_of(const PGresult* result) {
  return static_cast<std::size_t>(std::max(PQnfields(result), 0));
}

}  // namespace

PostgresConnection::PostgresConnection(PGconn* connected, Peer peer, std::chrono::seconds silence,
                                       Tracer tracer)
    : connection_(connected),
      peer_(peer),
      watch_(PQsocket(connected), silence),
      tracer_(std::move(tracer)) {
  // Notices quote rows as errors do, and libpq prints them on stderr by default.
  PQsetNoticeReceiver(raw(), drop_notice, nullptr);
}

Result PostgresConnection::run(const std::string& sql, ExecStatusType expected) {
  rest();
  return run_at_once(sql, expected);
}

Result PostgresConnection::run_at_once(const std::string& sql, ExecStatusType expected) {
  names_.expect(sql);
  std::optional<Tracer::Running> traced;
  if (expected != PGRES_COPY_IN && expected != PGRES_COPY_OUT) {  // COPY is traced with its rows
    traced.emplace(tracer_, sql);
  }
  Result result;
  {
    const StallWatch::Exchange exchange(watch_);
    result.reset(PQexec(connection_.raw(), sql.c_str()));
  }
  if (PQresultStatus(result.get()) != expected) {
    throw fault(result.get());
  }
  if (traced) {
    traced->rows(affected(result.get()));
  }
  return result;
}

std::vector<Result> PostgresConnection::run_each(const std::vector<std::string>& statements,
                                                 std::size_t& done) {
  rest();
  done = 0;
  const auto sql = fmt::format("{}", fmt::join(statements, "; "));
  names_.expect(sql);
  Tracer::Running traced(tracer_, sql);
  std::vector<Result> results;
  Result bad;
  {
    const StallWatch::Exchange exchange(watch_);
    if (PQsendQuery(connection_.raw(), sql.c_str()) == 0) {
      throw fault(nullptr);
    }
  }
  take_results([&](Result&& result) {
    if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) {
      results.push_back(std::move(result));
      ++done;
    } else {
      bad = std::move(result);
    }
  });
  if (bad || done < statements.size()) {
    throw fault(bad.get());
  }
  return results;
}

Fault PostgresConnection::fault(const PGresult* result) {
  const auto before = std::move(failed_);
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const bool spoilt = state == nullptr || std::string_view(state) == kTransactionAborted;
  if (watch_.has_cut()) {
    return stalled(peer_, watch_.limit());
  }
  const auto* const told = before && spoilt ? before.get() : result;
  const char* const reason = PQresultErrorField(told, PG_DIAG_SQLSTATE);
  const bool locked = reason != nullptr && std::string_view(reason) == kLockNotAvailable;
  return fault_of(
      peer_, connection_.raw(), told, names_,
      locked && lock_holders_ == LockHolders::named ? lock_holder(connection_.raw()) : "");
}

template <class Take>
void PostgresConnection::take_results(const Take& take) {
  auto* const server = connection_.raw();
  StallWatch::Exchange exchange(watch_);
  while (Result result{PQgetResult(server)}) {
    exchange.moved();
    const auto status = PQresultStatus(result.get());
    const bool copying =
        status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
    take(std::move(result));
    if (copying) {
      // There was not even memory to end the COPY, so that libpq would report it without an end.
      // Cutting the connection ends it.
      ::shutdown(PQsocket(server), SHUT_RDWR);
    }
    if (copying || PQstatus(server) == CONNECTION_BAD) {
      break;  // PQgetResult would report the same again and again
    }
  }
}

int PostgresConnection::next_copy_row(char** row) {
  const StallWatch::Exchange exchange(watch_);
  return PQgetCopyData(connection_.raw(), row, 0);
}

void PostgresConnection::send(const std::string& sql, Awaited& awaited) {
  rest();
  names_.expect(sql);
  const StallWatch::Exchange exchange(watch_);
  if (PQsendQuery(connection_.raw(), sql.c_str()) != 1) {
    throw fault(nullptr);
  }
  sent_.emplace(tracer_, sql);
  awaited_ = &awaited;
}

void PostgresConnection::pump() {
  // errors are reported when the result is taken
  if (awaited_ != nullptr && PQconsumeInput(connection_.raw()) == 1) {
    (void)PQisBusy(connection_.raw());
  }
}

void PostgresConnection::arrive() noexcept {
  if (awaited_ == nullptr) {
    return;
  }
  auto& awaited = *std::exchange(awaited_, nullptr);
  take_results([&](Result&& result) {
    auto& place = PQresultStatus(result.get()) == PGRES_TUPLES_OK ? awaited.result : failed_;
    place = std::move(result);
  });
  sent_->rows(awaited.result ? PQntuples(awaited.result.get()) : 0);
  sent_.reset();
}

Result PostgresConnection::take(Awaited& awaited) {
  arrive();
  if (!awaited.result) {
    throw fault(nullptr);
  }
  return std::move(awaited.result);
}

void PostgresConnection::withdraw(Awaited& awaited) noexcept {
  if (awaited_ == &awaited) {
    arrive();
  }
  awaited.result.reset();
}

void PostgresConnection::meanwhile(const std::function<void()>& work) {
  background_.post(work);
}

void PostgresConnection::end_meanwhile() {
  background_.rest();
}

CopySender& PostgresConnection::sender() {
  background_.wait();
  arrive();
  if (!sender_) {
    sender_ = std::make_unique<CopySender>(
        [this](const CopyBatch& batch) { copy_in_at_once(batch.copy, batch.bytes, batch.rows); });
  }
  return *sender_;
}

void PostgresConnection::copy_in(const std::string& copy, std::string_view bytes,
                                 std::size_t rows) {
  rest();
  copy_in_at_once(copy, bytes, rows);
}

void PostgresConnection::copy_in_at_once(const std::string& copy, std::string_view bytes,
                                         std::size_t rows) {
  auto* const server = connection_.raw();
  Tracer::Running traced(tracer_, copy);
  traced.rows(static_cast<std::int64_t>(rows));
  run_at_once(copy, PGRES_COPY_IN);
  bool sent = true;
  {
    StallWatch::Exchange exchange(watch_);
    while (sent && !bytes.empty()) {
      const auto piece = bytes.substr(0, kPieceBytes);
      sent = PQputCopyData(server, piece.data(), static_cast<int>(piece.size())) == 1;
      bytes.remove_prefix(piece.size());
      exchange.moved();
    }
    sent = sent && PQputCopyEnd(server, nullptr) == 1;
    if (!sent && PQstatus(server) != CONNECTION_BAD) {
      PQputCopyEnd(server, "abandoned");  // out of memory here: ends the COPY without its rows
    }
  }
  Result bad;
  std::string done;
  take_results([&](Result&& result) {
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
      done = PQcmdTuples(result.get());
    } else if (!bad) {
      bad = std::move(result);
    }
  });
  if (bad || !sent || PQstatus(server) == CONNECTION_BAD) {
    throw fault(bad.get());
  }
  if (done != std::to_string(rows)) {
    throw Failure(Code::secondary_refuses,
                  fmt::format("the {} took {} of {} rows: a trigger or rule drops rows",
                              name_of(peer_.role), done, rows),
                  "remove the trigger, or load into a table without it");
  }
}

Result PostgresConnection::run_with(std::string_view sql, std::span<const Cell> parameters) {
  rest();
  std::vector<std::string> texts(parameters.size());
  std::vector<const char*> values(parameters.size(), nullptr);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& cell = parameters[i];
    if (cell.storage == Cell::Storage::null) {
      continue;
    }
    if (cell.storage == Cell::Storage::blob) {
      append_hex(cell.bytes, texts[i]);
    } else if (cell.bytes.find('\0') != std::string_view::npos) {
      // A C string would end there, without an error.
      throw Fault(Fault::Cause::data, "22021",
                  Error{.code = refusal_code(peer_.access),
                        .message = fmt::format("parameter {} of a statement for the {} contains "
                                               "NUL, which no text can hold (SQLSTATE 22021)",
                                               i + 1, name_of(peer_.role)),
                        .hint = {}});
    } else {
      texts[i] = cell.bytes;
    }
    values[i] = texts[i].c_str();
  }
  names_.expect(sql);
  Tracer::Running traced(tracer_, sql);
  Result result;
  {
    const StallWatch::Exchange exchange(watch_);
    result.reset(PQexecParams(connection_.raw(), std::string(sql).c_str(),
                              static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                              nullptr, 0));
  }
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw fault(result.get());
  }
  traced.rows(affected(result.get()));
  return result;
}

std::int64_t PostgresConnection::execute(std::string_view sql, std::span<const Cell> parameters) {
  return affected(run_with(sql, parameters).get());
}

void PostgresConnection::execute_script(std::string_view sql) {
  rest();
  names_.expect(sql);
  const Tracer::Running traced(tracer_, sql);
  Result result;
  {
    const StallWatch::Exchange exchange(watch_);
    result.reset(PQexec(connection_.raw(), std::string(sql).c_str()));
  }
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
    throw fault(result.get());
  }
}

void PostgresConnection::require(const PGresult* result, std::string_view sql) const {
  const auto width = width_of(result);
  require_width(peer_, width, selected_columns(sql).value_or(width));
}

void PostgresConnection::query(std::string_view sql, std::span<const Cell> parameters,
                               const OnRow& row) {
  const auto result = run_with(sql, parameters);
  require(result.get(), sql);
  ResultRow cells;
  for (int i = 0; i < PQntuples(result.get()); ++i) {
    row(cells.cells(result.get(), i));
  }
}

void PostgresConnection::read(std::string_view sql, const OnRow& row) {
  std::vector<Cell> cells;
  const auto width = selected_columns(sql);
  copy_out(sql, {}, [&](std::span<char> line) {
    split_copy_line(line, cells);
    require_width(peer_, cells.size(), width.value_or(cells.size()));
    row(cells);
  });
}

std::vector<BinaryForm> PostgresConnection::binary_forms(std::string_view sql) {
  const auto row = run(fmt::format("{} LIMIT 0", sql), PGRES_TUPLES_OK);
  require(row.get(), sql);
  std::vector<BinaryForm> forms;
  for (int i = 0; i < PQnfields(row.get()); ++i) {
    const auto form = binary_form(PQftype(row.get(), i));
    if (!form) {
      return {};
    }
    forms.push_back(*form);
  }
  return forms;
}

void PostgresConnection::read_blobs(std::string_view sql, const OnRow& row) {
  auto forms = binary_forms(sql);
  if (forms.empty() || !std::ranges::all_of(forms, is_readable)) {
    read(sql, row);
    return;
  }
  BinaryRows rows(std::move(forms));
  std::vector<Cell> cells;
  copy_out(sql, " (FORMAT binary)", [&](std::span<char> message) {
    switch (rows.split({message.data(), message.size()}, cells)) {
      case BinaryRows::Found::row:
        row(cells);
        return;
      case BinaryRows::Found::end:
        return;
      case BinaryRows::Found::malformed:
        throw Fault(Fault::Cause::other, "08P01",
                    Error{.code = refusal_code(peer_.access),
                          .message = fmt::format("the {} sent a row in another form than its "
                                                 "columns have (SQLSTATE 08P01)",
                                                 name_of(peer_.role)),
                          .hint = std::string(kIsItPostgreSql)});
    }
  });
}

void PostgresConnection::read_unknown(std::string_view sql, const Leading& leading,
                                      const IsKnown& known, const OnRow& row) {
  std::vector<Cell> cells;
  const auto width = selected_columns(sql);
  copy_out(sql, {}, [&](std::span<char> line) {
    const std::string_view text(line.data(), line.size());
    const auto place = copy_fields(text, leading.places);
    const auto values = text.substr(std::min(text.size(), place.size() + leading.places));
    if (!known(place, copy_fields(values, leading.keys), values)) {
      split_copy_line(line, cells);
      require_width(peer_, cells.size(), width.value_or(cells.size()));
      row(cells);
    }
  });
}

void PostgresConnection::copy_out(std::string_view sql, std::string_view options,
                                  const std::function<void(std::span<char>)>& on_row) {
  // a failure of `on_row` cancels the COPY, which must not abort the whole transaction
  const bool guarded = PQtransactionStatus(raw()) == PQTRANS_INTRANS;
  Tracer::Running traced(tracer_, sql);
  run(fmt::format("{}COPY ({}) TO STDOUT{}{}", guarded ? "SAVEPOINT abgleich_read; " : "", sql,
                  options, guarded ? "; RELEASE SAVEPOINT abgleich_read" : ""),
      PGRES_COPY_OUT);
  try {
    for (;;) {
      char* row = nullptr;
      const int size = next_copy_row(&row);
      const CopyBuffer owner(row);
      if (size < 0) {
        break;  // the end, or an error: the results below tell
      }
      traced.row();
      on_row({row, static_cast<std::size_t>(size)});
    }
  } catch (...) {
    stop_copy();
    if (guarded && PQtransactionStatus(raw()) == PQTRANS_INERROR) {  // otherwise it was complete
      const StallWatch::Exchange exchange(watch_);
      const Result undone(
          PQexec(raw(), "ROLLBACK TO SAVEPOINT abgleich_read; RELEASE SAVEPOINT abgleich_read"));
    }
    throw;
  }
  // All results up to the null one must be taken, or the next statement would get them.
  Result bad;
  bool done = false;
  take_results([&](Result&& result) {
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
      done = true;
    } else if (!bad) {
      bad = std::move(result);
    }
  });
  if (bad || !done) {
    throw fault(bad.get());
  }
}

void PostgresConnection::stop_copy() noexcept {
  if (!cancel_soon(raw())) {
    // the server does not stop it, and many rows may be left to send
    ::shutdown(PQsocket(connection_.raw()), SHUT_RDWR);
  }
  for (;;) {
    char* line = nullptr;
    const int size = next_copy_row(&line);
    PQfreemem(line);
    if (size < 0) {
      break;
    }
  }
  take_results([](Result&&) {});
}

void PostgresConnection::defer_constraints() {
  execute("SET CONSTRAINTS ALL DEFERRED");
}

void PostgresConnection::check_constraints() {
  execute("SET CONSTRAINTS ALL IMMEDIATE");
}

std::unique_ptr<Cursor> PostgresConnection::open(std::string_view sql) {
  return std::make_unique<PostgresCursor>(*this, sql, fmt::format("abgleich_{}", ++cursors_));
}

std::unique_ptr<Loader> PostgresConnection::load(std::string_view table,
                                                 const std::vector<std::string>& columns,
                                                 Loader::Refused refused) {
  return std::make_unique<PostgresLoader>(*this, table, columns, std::move(refused));
}

std::unique_ptr<Loader> PostgresConnection::fill(std::string_view table,
                                                 const std::vector<std::string>& columns) {
  return std::make_unique<PostgresFiller>(*this, table, columns);
}

}  // namespace abgleich::db::postgresql

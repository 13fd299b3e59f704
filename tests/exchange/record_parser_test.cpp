#include "exchange/record_parser.hpp"

#include "core/error.hpp"
#include "exchange/bundles.hpp"
#include "exchange/record_writer.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::exchange {
namespace {

using namespace std::string_literals;
using Why = NotApplied::Why;
using What = Record::What;

/// `visit` with its key (id, day), and `guest`: so many rows and keys of the first one.
std::vector<SentTable> tables_with(std::uint64_t rows, std::uint64_t gone,
                                   std::uint64_t rows_of_second = 0) {
  auto tables = two_tables();
  tables[0].rows = rows;
  tables[0].gone = gone;
  tables[1].rows = rows_of_second;
  return tables;
}

struct Parsed {
  std::optional<Why> why;
  std::vector<Record> records;
};

Parsed parsed(const std::vector<SentTable>& tables, std::string_view bytes,
              std::size_t step = 1U << 20U) {
  Parsed parsed;
  try {
    RecordParser parser(tables, [&](const Record& record) { parsed.records.push_back(record); });
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      parser.add(seal::bytes_of(bytes.substr(at, step)));
    }
    parser.finish();
  } catch (const NotApplied& refused) {
    parsed.why = refused.why();
  }
  return parsed;
}

std::string written_records(const std::vector<SentTable>& tables,
                            const std::vector<Record>& records) {
  std::string bytes;
  RecordWriter writer(tables, [&](std::span<const std::uint8_t> part) {
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  });
  for (const auto& record : records) {
    writer.add(record.what, record.table, record.cells);
  }
  writer.end();
  return bytes;
}

std::string visit(std::string_view id = "1", std::string_view note = "a") {
  return cell_of(Kind::integer, id) + cell_of(Kind::text, note) +
         cell_of(Kind::text, "2020-02-29") + cell_of(Kind::null, "");
}

const std::string kVisits = "T\0\0"s;

/// One row of `visit` with this cell for its note.
std::optional<Why> refusal_of_note(const std::string& cell) {
  return parsed(tables_with(1, 0), kVisits + "S" + cell_of(Kind::integer, "1") + cell +
                                       cell_of(Kind::text, "x") + cell_of(Kind::null, "") + "E")
      .why;
}

TEST_CASE("records: they are read as they were written, in pieces of any size") {
  const auto tables = tables_with(2, 1, 1);
  const std::vector<Record> records{{What::row,
                                     0,
                                     {{Kind::integer, "-9223372036854775808"},
                                      {Kind::text, "ä\0"s},
                                      {Kind::bytes, "\xff\0"s},
                                      {Kind::real, "-2.2250738585072014e-308"}}},
                                    {What::gone, 0, {{Kind::integer, "1"}, {Kind::text, ""}}},
                                    {What::row, 0, {{Kind::text, ""}, {}, {Kind::real, "-0"}, {}}},
                                    {What::row, 1, {{Kind::bytes, std::string(3'000, 'x')}}}};
  const auto bytes = written_records(tables, records);
  for (const auto step : {1UL, 2UL, 3UL, 7UL, 64UL, 5'000UL}) {
    CAPTURE(step);
    const auto read = parsed(tables, bytes, step);
    CHECK_FALSE(read.why);
    CHECK(read.records == records);
  }
  CHECK(bytes.substr(0, 13) == "T\0\0S\2\24\0\0\0-922"s);
  CHECK(parsed({}, "E").why == std::nullopt);
  CHECK(written_records({}, {}) == "E");
}

TEST_CASE("records: where they are cut off, or something follows their end, they are refused") {
  const auto tables = tables_with(1, 1);
  const auto bytes =
      kVisits + "S" + visit() + "G" + cell_of(Kind::integer, "2") + cell_of(Kind::text, "x") + "E";
  REQUIRE_FALSE(parsed(tables, bytes).why);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(parsed(tables, bytes.substr(0, size)).why == Why::malformed);
  }
  for (const auto* more : {"E", "T", "S", "x"}) {
    CHECK(parsed(tables, bytes + more).why == Why::malformed);
  }
}

TEST_CASE("records: more rows than the table says are too many as soon as they begin") {
  const auto rows = kVisits + "S" + visit("1") + "S" + visit("2");
  const auto read = parsed(tables_with(2, 0), rows + "S");
  CHECK(read.why == Why::too_large);
  CHECK(read.records.size() == 2);
  CHECK(parsed(tables_with(2, 0), rows + "G").why == Why::too_large);
  CHECK(parsed(tables_with(3, 0), rows + "E").why == Why::malformed);  // fewer
  CHECK(parsed(tables_with(2, 1), rows + "E").why == Why::malformed);
  CHECK(parsed(tables_with(2, 0, 1), rows + "E").why == Why::malformed);
  CHECK_FALSE(parsed(tables_with(2, 0), rows + "E").why);
}

TEST_CASE("records: every record is of a table, and the tables come in their order, each once") {
  const auto guest = "T\1\0S"s + cell_of(Kind::text, "x");
  CHECK_FALSE(parsed(tables_with(1, 0, 1), kVisits + "S" + visit() + guest + "E").why);
  for (const auto& wrong : {"S" + visit() + "E", guest + kVisits + "S" + visit() + "E",
                            kVisits + kVisits + "S" + visit() + guest + "E",
                            kVisits + "S" + visit() + kVisits + guest + "E", "T\2\0"s, "T\0\1"s,
                            kVisits + "S" + visit() + guest + "T\1\0E"s, "x"s, "\0"s}) {
    CHECK(parsed(tables_with(1, 0, 1), wrong).why == Why::malformed);
  }
  // a table of which nothing follows
  CHECK(parsed(tables_with(0, 0, 1), kVisits + guest + "E").why == Why::malformed);
  CHECK(parsed(tables_with(0, 0), kVisits + "E").why == Why::malformed);
  CHECK_FALSE(parsed(tables_with(0, 0, 1), guest + "E").why);
}

TEST_CASE("records: a key has values") {
  const auto null = cell_of(Kind::null, "");
  const auto text = cell_of(Kind::text, "x");
  CHECK(parsed(tables_with(1, 0), kVisits + "S" + null + text + text + text + "E").why ==
        Why::malformed);
  CHECK(parsed(tables_with(1, 0), kVisits + "S" + text + text + null + text + "E").why ==
        Why::malformed);
  CHECK(parsed(tables_with(0, 1), kVisits + "G" + text + null + "E").why == Why::malformed);
  CHECK_FALSE(parsed(tables_with(1, 0), kVisits + "S" + text + null + text + null + "E").why);
}

TEST_CASE("records: a cell is of few kinds, and each value has one form") {
  for (const auto& [kind, bytes] :
       std::vector<std::pair<Kind, std::string>>{{Kind::integer, "0"},
                                                 {Kind::integer, "9223372036854775807"},
                                                 {Kind::integer, "-1"},
                                                 {Kind::real, "0"},
                                                 {Kind::real, "-0"},
                                                 {Kind::real, "0.1"},
                                                 {Kind::real, "1e+22"},
                                                 {Kind::real, "5e-324"},
                                                 {Kind::real, "1.7976931348623157e+308"},
                                                 {Kind::real, "Infinity"},
                                                 {Kind::real, "-Infinity"},
                                                 {Kind::text, ""},
                                                 {Kind::text, "\xf0\x9f\x98\x80"},
                                                 {Kind::bytes, ""},
                                                 {Kind::bytes, "\xff\xfe"},
                                                 {Kind::null, ""}}) {
    CAPTURE(bytes);
    CHECK_FALSE(refusal_of_note(cell_of(kind, bytes)));
  }
  for (const auto& [kind, bytes] :
       std::vector<std::pair<Kind, std::string>>{{Kind::null, "x"},
                                                 {Kind::integer, ""},
                                                 {Kind::integer, "-0"},
                                                 {Kind::integer, "01"},
                                                 {Kind::integer, "+1"},
                                                 {Kind::integer, "1 "},
                                                 {Kind::integer, "9223372036854775808"},
                                                 {Kind::integer, "-9223372036854775809"},
                                                 {Kind::integer, std::string(21, '1')},
                                                 {Kind::real, ""},
                                                 {Kind::real, "0.10"},
                                                 {Kind::real, "1.0"},
                                                 {Kind::real, "1e22"},
                                                 {Kind::real, "0.1000000000000000055"},
                                                 {Kind::real, "NaN"},
                                                 {Kind::real, "nan"},
                                                 {Kind::real, "inf"},
                                                 {Kind::real, "infinity"},
                                                 {Kind::real, "1e999"},
                                                 {Kind::real, "0x1p3"},
                                                 {Kind::real, std::string(25, '1')},
                                                 {Kind::text, "\xff"},
                                                 {Kind::text, "\xed\xa0\x80"},
                                                 {Kind::boolean, "t"},
                                                 {Kind::decimal, "1.00"},
                                                 {Kind::date, "2020-02-29"},
                                                 {Kind::other, "x"},
                                                 {static_cast<Kind>(14), "x"},
                                                 {static_cast<Kind>(255), ""}}) {
    CAPTURE(bytes);
    CHECK(refusal_of_note(cell_of(kind, bytes)) == Why::malformed);
  }
}

TEST_CASE("records: the cells of a row have 64 MiB at most; what says more is not read") {
  const auto head = [](Kind kind, std::size_t size) {
    return static_cast<char>(kind) + little_endian(size, 4);
  };
  const auto row = kVisits + "S" + cell_of(Kind::integer, "1");
  const auto tables = tables_with(1, 0);
  CHECK(parsed(tables, row + head(Kind::text, kMostRecord)).why == Why::too_large);
  CHECK(parsed(tables, row + head(Kind::bytes, 0xffffffff)).why == Why::too_large);
  CHECK(parsed(tables, row + cell_of(Kind::text, "abc") + head(Kind::bytes, kMostRecord - 3)).why ==
        Why::too_large);
  // these are cut off only
  CHECK(parsed(tables, row + head(Kind::text, kMostRecord - 1)).why == Why::malformed);
  CHECK(parsed(tables, row + cell_of(Kind::text, "abc") + head(Kind::bytes, kMostRecord - 4)).why ==
        Why::malformed);
}

TEST_CASE("records: long values in one column after the other do not add up in memory") {
  std::vector<SentTable> tables{{.name = "t", .columns = {{.name = "c0", .in_key = true}}}};
  constexpr std::size_t kColumns = 32;
  constexpr std::size_t kLong = std::size_t{1} << 20U;
  for (std::size_t i = 1; i < kColumns; ++i) {
    tables[0].columns.push_back({.name = "c" + std::to_string(i)});
  }
  tables[0].rows = kColumns;
  std::size_t most = 0;
  RecordParser parser(tables, [&](const Record& record) {
    std::size_t held = 0;
    for (const auto& cell : record.cells) {
      held += cell.bytes().capacity();
    }
    most = std::max(most, held);
  });
  const std::string value(kLong, 'x');
  parser.add(seal::bytes_of(kVisits));
  for (std::size_t row = 0; row < kColumns; ++row) {
    parser.add(seal::bytes_of("S"));
    for (std::size_t i = 0; i < kColumns; ++i) {
      parser.add(seal::bytes_of(cell_of(Kind::bytes, i == row ? value : "x")));
    }
  }
  CHECK(most >= kLong);
  CHECK(most < 20 * kLong);
}

TEST_CASE("records: what no reader would take is not written") {
  const auto code = [](std::vector<SentTable> tables, const std::vector<Record>& records) {
    try {
      (void)written_records(tables, records);
      return Code::done;
    } catch (const Failure& failure) {
      return failure.error().code;
    }
  };
  const Value one(Kind::integer, "1");
  const Value text(Kind::text, "x");
  const Record row{What::row, 0, {one, text, text, {}}};
  const Record gone{What::gone, 0, {one, text}};
  const Record guest{What::row, 1, {text}};
  CHECK(code(tables_with(1, 1, 1), {row, gone, guest}) == Code::done);
  CHECK(code(tables_with(1, 1, 1), {row, guest, gone}) == Code::bug);
  CHECK(code(tables_with(1, 1), {row}) == Code::bug);
  CHECK(code(tables_with(1, 1), {row, row}) == Code::bug);
  CHECK(code(tables_with(1, 0), {gone}) == Code::bug);
  CHECK(code(tables_with(1, 0), {{What::row, 2, {one}}}) == Code::bug);
  CHECK(code(tables_with(1, 0), {{What::row, 0, {one, text, text}}}) == Code::bug);
  CHECK(code(tables_with(1, 0), {{What::row, 0, {one, text, text, {}, {}}}}) == Code::bug);
  CHECK(code(tables_with(1, 0), {{What::row, 0, {{}, text, text, {}}}}) == Code::bug);
  CHECK(code(tables_with(1, 0), {{What::row, 0, {{Kind::integer, "01"}, text, text, {}}}}) ==
        Code::bug);
  CHECK(code(tables_with(1, 0), {{What::row, 0, {{Kind::date, "2020-02-29"}, text, text, {}}}}) ==
        Code::bug);
}

TEST_CASE("records: a row that no bundle can hold is refused with its largest column") {
  std::vector<Value> cells(4);
  cells[0] = {Kind::integer, "1"};
  cells[1] = {Kind::bytes, std::string(kMostRecord, 'x')};
  cells[2] = {Kind::text, "x"};
  std::string bytes;
  const auto tables = tables_with(1, 0);
  RecordWriter writer(tables, [&](std::span<const std::uint8_t> part) {
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  });
  try {
    writer.add(What::row, 0, cells);
    FAIL("not refused");
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::configuration);
    CHECK(failure.error().message ==
          "a row of table 'visit' has more than 64 MiB, most of it in column 'note': no bundle can "
          "hold that");
    CHECK_FALSE(failure.error().hint.empty());
  }
  CHECK(bytes.empty());
}

}  // namespace
}  // namespace abgleich::exchange

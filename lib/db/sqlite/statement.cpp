#include "db/sqlite/statement.hpp"

#include "db/engine/real.hpp"
#include "db/sqlite/text_forms.hpp"
#include "db/sqlite/utf16.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <charconv>
#include <cmath>
#include <cstdint>

namespace abgleich::db::sqlite {

namespace {

using Storage = Cell::Storage;

/// Room for "-9223372036854775808".
constexpr std::size_t kLongestInteger = 20;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

/// Never null, since a null pointer would bind NULL.
const char* pointer(std::string_view bytes) {
  return bytes.data() == nullptr ? "" : bytes.data();
}

}  // namespace

Statement::Statement(DatabaseFile& file, std::string_view sql) : file_(file) {
  const char* tail = nullptr;
  const bool before = file.in_transaction();
  if (sqlite3_prepare_v2(file.raw(), sql.data(), static_cast<int>(sql.size()), &raw_, &tail) !=
      SQLITE_OK) {
    throw file.fault(before);
  }
  if (raw_ == nullptr || !is_blank(sql.substr(static_cast<std::size_t>(tail - sql.data())))) {
    sqlite3_finalize(raw_);
    throw Failure(Code::bug, "a text that is not one SQL statement was to be run as one");
  }
  const auto columns = static_cast<std::size_t>(sqlite3_column_count(raw_));
  cells_.resize(columns);
  scratch_.resize(columns);
}

Statement::~Statement() {
  sqlite3_finalize(raw_);
}

void Statement::bind(std::span<const Cell> parameters) {
  for (auto i = positions_.size(); i < parameters.size(); ++i) {
    positions_.push_back(sqlite3_bind_parameter_index(raw_, fmt::format("${}", i + 1).c_str()));
  }
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(raw_)) != parameters.size()) {
    throw Failure(Code::bug, fmt::format("{} parameters were given to a statement that has {}",
                                         parameters.size(), sqlite3_bind_parameter_count(raw_)));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    bind_cell(positions_[i], parameters[i]);
  }
}

void Statement::bind_cell(int position, const Cell& cell) {
  const auto& bytes = cell.bytes;
  int result = SQLITE_OK;
  switch (cell.storage) {
    case Storage::null:
      result = sqlite3_bind_null(raw_, position);
      break;
    case Storage::integer: {
      const auto number = integer_from(bytes);
      result = number ? sqlite3_bind_int64(raw_, position, *number) : SQLITE_MISMATCH;
      break;
    }
    case Storage::real: {
      const auto number = real_from(bytes);
      // SQLite would store NaN as NULL.
      result = number && !std::isnan(*number) ? sqlite3_bind_double(raw_, position, *number)
                                              : SQLITE_MISMATCH;
      break;
    }
    case Storage::text:
      result = file_.encoding() == Encoding::utf16 && !survives_utf16(bytes)
                   ? SQLITE_MISMATCH
                   : sqlite3_bind_text64(raw_, position, pointer(bytes), bytes.size(),
                                         SQLITE_STATIC, SQLITE_UTF8);
      break;
    case Storage::blob:
      result = sqlite3_bind_blob64(raw_, position, pointer(bytes), bytes.size(), SQLITE_STATIC);
      break;
  }
  if (result != SQLITE_OK) {
    throw fault_of(file_.peer(), result);
  }
}

bool Statement::step() {
  const bool before = file_.in_transaction();
  if (!deadline_) {
    deadline_ = file_.deadline();
  }
  file_.work_until(*deadline_);
  switch (sqlite3_step(raw_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      throw file_.fault(before);
  }
}

std::span<const Cell> Statement::row() {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const auto column = static_cast<int>(i);
    auto& cell = cells_[i];
    auto& scratch = scratch_[i];
    switch (sqlite3_column_type(raw_, column)) {
      case SQLITE_INTEGER: {
        scratch.resize(kLongestInteger);
        const auto end = std::to_chars(scratch.data(), scratch.data() + scratch.size(),
                                       std::int64_t{sqlite3_column_int64(raw_, column)})
                             .ptr;
        scratch.resize(static_cast<std::size_t>(end - scratch.data()));
        cell = {Storage::integer, scratch};
        break;
      }
      case SQLITE_FLOAT:
        cell = {Storage::real, canonical_real(sqlite3_column_double(raw_, column), scratch)};
        break;
      case SQLITE_NULL:
        cell = {};
        break;
      case SQLITE_BLOB: {
        const auto* data = static_cast<const char*>(sqlite3_column_blob(raw_, column));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw_, column));
        if (data == nullptr && size != 0) {
          throw fault_of(file_.peer(), SQLITE_NOMEM);
        }
        cell = {Storage::blob, data == nullptr ? std::string_view() : std::string_view(data, size)};
        break;
      }
      default:
        cell = text_cell(text_of(column, scratch));
        break;
    }
  }
  return cells_;
}

std::size_t Statement::append_stored(std::size_t first, std::size_t keys, std::string& out) {
  const auto begin = out.size();
  std::size_t key_size = 0;
  const auto append = [&](const void* data, std::size_t size) {
    out.append(static_cast<const char*>(data), size);
  };
  for (auto i = first; i < cells_.size(); ++i) {
    const auto column = static_cast<int>(i);
    const int type = sqlite3_column_type(raw_, column);
    out += static_cast<char>(type);
    if (type == SQLITE_INTEGER) {
      const sqlite3_int64 number = sqlite3_column_int64(raw_, column);
      append(&number, sizeof number);
    } else if (type == SQLITE_FLOAT) {
      const double number = sqlite3_column_double(raw_, column);
      append(&number, sizeof number);
    } else if (type != SQLITE_NULL) {
      // in the file's own encoding, so that nothing is converted
      const auto* data = sqlite3_column_blob(raw_, column);
      const bool wide = type == SQLITE_TEXT && file_.encoding() == Encoding::utf16;
      const auto size = static_cast<std::size_t>(wide ? sqlite3_column_bytes16(raw_, column)
                                                      : sqlite3_column_bytes(raw_, column));
      append(&size, sizeof size);
      if (data != nullptr) {
        append(data, size);
      }
    }
    if (i + 1 == first + keys) {
      key_size = out.size() - begin;
    }
  }
  return key_size;
}

std::string_view Statement::text_of(int column, std::string& converted) {
  // The pointer has to be asked for first: it sets the encoding in which bytes are counted.
  if (file_.encoding() == Encoding::utf8) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(raw_, column));
    if (data == nullptr) {
      throw fault_of(file_.peer(), SQLITE_NOMEM);
    }
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(raw_, column))};
  }
  const auto* data = static_cast<const char16_t*>(sqlite3_column_text16(raw_, column));
  if (data == nullptr) {
    throw fault_of(file_.peer(), SQLITE_NOMEM);
  }
  const auto bytes = static_cast<std::size_t>(sqlite3_column_bytes16(raw_, column));
  converted.clear();
  append_utf8({data, bytes / sizeof(char16_t)}, converted);
  return converted;
}

void Statement::reset() noexcept {
  sqlite3_reset(raw_);
  deadline_.reset();
}

}  // namespace abgleich::db::sqlite

// The JSON that other programs rely on (schemas/*.schema.json): one object a line.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "report/change.hpp"
#include "report/verification.hpp"

#include <string>
#include <string_view>

namespace abgleich::report {

std::string json_line(const Change& change);
/// The outcome of a run that failed or was refused.
Outcome failed_outcome(const Error& error, Run kind);
inline constexpr std::string_view kSyncSchema = "abgleich.sync/1";
std::string json_line(const Outcome& outcome, std::string_view schema = kSyncSchema);
/// A change of a past run: every cell has `before` and `after` as well.
std::string history_line(const Change& change);
std::string json_line(const drift::Event& event);
std::string json_line(const db::RunRow& run);
std::string json_line(const Difference& difference);
/// The line that `verify` ends with; `exit` is its exit code.
std::string json_line(const Verification& verification, Code exit);
std::string json_line(const Repair& repair);
std::string json_line(const LaidDown& laid);
/// {"error":{…}}
std::string json_line(const Error& error);
/// {"warning":{…}}: nothing that would change the exit code.
std::string warning_line(const std::string& message, const std::string& hint);

}  // namespace abgleich::report

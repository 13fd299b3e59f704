// Drift in the forms that forges show beside a change: GitHub's workflow commands, GitLab's code
// quality report, JUnit's XML.
#pragma once

#include "contract/contract.hpp"
#include "drift/drift.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::report {

enum class Annotation : std::uint8_t { github, gitlab, junit };

/// The whole output for these events. Each is placed at its line of the contract, or at the
/// contract's first line. `contract_file` is how the forge knows the file: relative to the
/// repository.
std::string annotations(Annotation form, const std::vector<drift::Event>& events,
                        const contract::Contract& contract, const std::string& contract_file);

}  // namespace abgleich::report

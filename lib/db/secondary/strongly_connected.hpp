// Rows that cannot be applied one after another, because each needs another one to be applied
// first: two rows that swap a unique value, or that refer to each other. Pure.
#pragma once

#include <cstddef>
#include <vector>

namespace abgleich::db {

/// `needs[i]` are the rows that have to be applied before row i. Returns the groups of two or more
/// rows that need each other, directly or not (strongly connected components; Tarjan, SIAM J.
/// Comput. 1, 1972), each after the groups that it needs.
std::vector<std::vector<std::size_t>> strongly_connected(
    const std::vector<std::vector<std::size_t>>& needs);

}  // namespace abgleich::db

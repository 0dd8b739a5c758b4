#include "dynaplan/agents/q_table.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

QTable::QTable(Index states, Index actions)
    : states_(states), actions_(actions), values_(static_cast<std::size_t>((states + 1) * actions), 0.0) {}

Index QTable::first_greedy(Index state) const {
  const double* const row = values_.data() + state * actions_;
  return std::max_element(row, row + actions_) - row;
}

Index QTable::greedy(Index state, WordStream& stream) const {
  const double* const row = values_.data() + state * actions_;
  const Index first = first_greedy(state);
  const Index ties = std::count(row, row + actions_, row[first]);
  if (ties <= 1) return first;
  Index left = stream.below(ties);
  Index action = first;
  while (left > 0) left -= row[++action] == row[first] ? 1 : 0;
  return action;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

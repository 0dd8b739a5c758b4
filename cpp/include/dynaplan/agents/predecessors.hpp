#pragma once

#include <cstdint>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Which pairs lead to each state, as linked lists: a pair leads to one state at a time, which may
/// change.
class Predecessors {
 public:
  Predecessors(Index states, Index pairs);

  /// Notes that a pair leads to a state, and to no other any more.
  void link(Index pair, Index state);
  /// The first pair that leads to a state, and the one after a pair; -1 where there is none.
  Index first(Index state) const { return first_[static_cast<std::size_t>(state)]; }
  Index after(Index pair) const { return after_[static_cast<std::size_t>(pair)]; }

 private:
  void unlink(std::int32_t pair);

  std::vector<std::int32_t> first_;   // by state
  std::vector<std::int32_t> after_;   // by pair
  std::vector<std::int32_t> before_;  // by pair, -1 for the first
  std::vector<std::int32_t> leads_to_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

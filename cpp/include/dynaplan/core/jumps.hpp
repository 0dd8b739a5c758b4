#pragma once

#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Where a function of a step jumps: as an entry of the state, or its distance from another entry, passes `low` or
/// `high`, which are infinite where it does not.
struct Jump {
  Index entry = 0;
  Index other = -1;  // none
  double low = 0.0;
  double high = 0.0;
  bool moves = false;  // the two places are elsewhere at other steps, as far apart
};

/// All that jumps in a problem.
struct Jumps {
  std::vector<Jump> places;
  bool anywhere = false;  // a function from outside may jump wherever it likes

  bool empty() const { return places.empty() && !anywhere; }
  void clear() {
    places.clear();
    anywhere = false;
  }
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

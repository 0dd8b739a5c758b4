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

/// Adds what a function of the later entries of a state adds, which begin with entry `first`.
template <class Function>
void add_later_jumps(const Function& function, Index first, Jumps& jumps) {
  Jumps own;
  function.add_jumps(own);
  for (Jump jump : own.places) {
    jump.entry += first;
    if (jump.other >= 0) jump.other += first;
    jumps.places.push_back(jump);
  }
  jumps.anywhere = jumps.anywhere || own.anywhere;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

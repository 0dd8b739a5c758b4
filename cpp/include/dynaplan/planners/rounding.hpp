#pragma once

#include <vector>

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What sets the candidates of a first iteration apart, as rounding is measured by it.
template <class T>
struct CandidateSpread {
  T returns = T(0);       // by how much the best is better than half of them, so that some that go astray do not count
  T best = T(0);          // return
  bool is_known = false;  // whether any return is finite
  std::vector<T> ends;    // (S) of the states where they end; empty where these are not kept

  /// Of returns, and of end states (S) that are `stride` apart, or null. A sample of them does.
  void measure(const T* totals, const T* states, Index stride, Index state_dim, Index count);

 private:
  std::vector<T> sample_;
};

/// Lanes of a block of one sequence that are nudged, besides the first, which is not.
inline constexpr Index kNudgedLanes = 2;

/// Changes numbers in the lanes after the first by a step of their type, up in one and down in the next: what rounding
/// may do.
template <class T>
void nudge(Block<T> block);

/// Rounding as a sequence's total (K) and its end state (S, K) show it, with and without a nudge. Where a function
/// outside scores candidates it is not asked about nudged ones: what cannot be seen in states and actions cannot be in
/// its returns. Entries of the state that are the same for all candidates do not count.
template <class T>
Rounding rounding_of(const PlanProblemOf<T>& problem, const CandidateSpread<T>& spread, const T* totals,
                     ConstBlock<T> end, double value);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

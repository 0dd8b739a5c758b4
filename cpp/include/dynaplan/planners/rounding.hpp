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
  std::vector<T> ends;    // (S) how far the states lie apart where they end; empty where these are not kept

  /// Of returns (count) and, if not null, end states (S) that are `stride` apart. A sample of them does.
  void measure(const T* totals, const T* states, Index stride, Index state_dim, Index count);

 private:
  std::vector<T> sample_;
};

/// Rounding's largest share of what sets candidates apart with which a plan in float32 is as good as one in float64. Of
/// ordinary problems it is less.
inline constexpr double kMaxRounding = 1e-4;

/// Lanes of a block of one sequence that are nudged, besides the first, which is not.
inline constexpr Index kNudgedLanes = 2;

/// Changes numbers in the lanes after the first by a step of their type, up in one and down in the next: what rounding
/// may do.
template <class T>
void nudge(Block<T> block);

/// Rounding as the returns of a sequence show it, the first without a nudge and the others with one.
template <class T>
Rounding rounding_of(const CandidateSpread<T>& spread, const T* returns);

/// Whether states (S, K) where a sequence ends, without and with a nudge, and the bounds of the actions show that
/// rounding is too little to matter to any function of them. If not, it may still not matter to the one that counts.
template <class T>
bool is_rounding_unseen(const PlanProblemOf<T>& problem, const CandidateSpread<T>& spread, ConstBlock<T> ends);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

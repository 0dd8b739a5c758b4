#pragma once

#include "dynaplan/core/block.hpp"
#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Two links in a plane, joined by a hinge and hanging on another: which entries of a state hold the sines and the
/// cosines of the two hinges' angles (the second one relative to the first link), and how long the links are.
struct TwoLinks {
  Index sines[2];
  Index cosines[2];
  double lengths[2];
};

/// Those of Gymnasium's InvertedDoublePendulum, whose angles are 0 where it stands.
inline constexpr TwoLinks kInvertedDoublePendulum{{1, 2}, {3, 4}, {0.6, 0.6}};
/// Those of Gymnasium's Acrobot, whose angles are 0 where it hangs.
inline constexpr TwoLinks kAcrobot{{1, 3}, {0, 2}, {1.0, 1.0}};

/// Where the end of the second link is in one lane, from the first hinge on: along the direction in which both angles
/// are 0, and sideways.
template <class T>
struct TipPosition {
  T sideways;
  T along;
};

template <class T>
inline TipPosition<T> tip_position(const TwoLinks& links, ConstBlock<T> state, Index lane) {
  const T sin1 = state.row(links.sines[0])[lane];
  const T sin2 = state.row(links.sines[1])[lane];
  const T cos1 = state.row(links.cosines[0])[lane];
  const T cos2 = state.row(links.cosines[1])[lane];
  const auto first = static_cast<T>(links.lengths[0]);
  const auto second = static_cast<T>(links.lengths[1]);
  return {first * sin1 + second * (sin1 * cos2 + cos1 * sin2), first * cos1 + second * (cos1 * cos2 - sin1 * sin2)};
}

/// Throws ShapeError unless a state of this size has all entries that describe the links.
inline void require_state_dim(const TwoLinks& links, Index state_dim) {
  for (const Index entry : {links.sines[0], links.sines[1], links.cosines[0], links.cosines[1]}) {
    require_model_entry("two links", "a position", "state", entry, state_dim);
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

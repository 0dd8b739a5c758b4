#pragma once

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// When an episode ends: the rewards after it no longer count. Immutable once built, const and thread-safe.
template <class T>
class Termination {
 public:
  virtual ~Termination() = default;
  /// Sets `alive` (K) to 0 in the lanes that end at `next`.
  virtual void mark(ConstBlock<T> state, ConstBlock<T> action, ConstBlock<T> next, T* alive) const = 0;
  /// Throws ShapeError unless the termination fits states of this size.
  virtual void require_dims(Index state_dim) const = 0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

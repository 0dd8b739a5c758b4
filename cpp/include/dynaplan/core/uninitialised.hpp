#pragma once

#include <Eigen/Core>
#include <utility>
#include <vector>

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Leaves the numbers of a vector that grows as the memory holds them: to fill some hundred megabytes takes as long as
/// to draw what they are for, and cannot be interrupted.
template <class T>
struct UninitialisedAllocator : Eigen::aligned_allocator<T> {
  // NOLINTBEGIN(readability-identifier-naming, google-explicit-constructor): as the standard wants them
  template <class U>
  struct rebind {
    using other = UninitialisedAllocator<U>;
  };
  UninitialisedAllocator() = default;
  template <class U>
  UninitialisedAllocator(const UninitialisedAllocator<U>& /*other*/) {}
  // NOLINTEND(readability-identifier-naming, google-explicit-constructor)
  template <class U>
  void construct(U* /*place*/) {}
  template <class U, class... Arguments>
  void construct(U* place, Arguments&&... arguments) {
    ::new (static_cast<void*>(place)) U(std::forward<Arguments>(arguments)...);
  }
};

/// Aligned for the kernels.
template <class T>
using UninitialisedVector = std::vector<T, UninitialisedAllocator<T>>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

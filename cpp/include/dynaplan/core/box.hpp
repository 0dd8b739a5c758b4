#pragma once

#include <vector>

#include "dynaplan/core/jumps.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A box [low, high] in the space of states, its faces included; no state that is nan lies in it.
template <class T>
class Box {
 public:
  /// `low` and `high` (n), infinite where unbounded. Throws ShapeError, ValueError.
  Box(const Eigen::VectorXd& low, const Eigen::VectorXd& high);
  Index dim() const { return static_cast<Index>(low_.size()); }
  T low(Index i) const { return low_[static_cast<std::size_t>(i)]; }
  T high(Index i) const { return high_[static_cast<std::size_t>(i)]; }
  /// Sets `values` (K) to 0 in the lanes whose first n entries lie outside.
  void clear_outside(ConstBlock<T> x, T* values) const;
  /// Adds its faces.
  void add_jumps(Jumps& jumps) const;

 private:
  std::vector<T> low_;
  std::vector<T> high_;
};

extern template class Box<float>;
extern template class Box<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

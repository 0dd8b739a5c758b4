#pragma once

#include <vector>

#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Ends where the next state leaves the box [low, high] in any entry; a state that is nan is outside.
template <class T>
class Outside final : public Termination<T> {
 public:
  /// `low` and `high` (S), infinite where unbounded. Throws ShapeError, ValueError.
  Outside(const Eigen::VectorXd& low, const Eigen::VectorXd& high);
  void mark(ConstBlock<T> state, ConstBlock<T> action, ConstBlock<T> next, T* alive) const override;
  void require_dims(Index state_dim) const override;

 private:
  std::vector<T> low_;
  std::vector<T> high_;
};

extern template class Outside<float>;
extern template class Outside<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

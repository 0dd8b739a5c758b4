#pragma once

#include "dynaplan/core/box.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Ends where the next state leaves the box [low, high] in any entry; a state that is nan is outside.
template <class T>
class Outside final : public Termination<T> {
 public:
  /// `low` and `high` (S), infinite where unbounded. Throws ShapeError, ValueError.
  Outside(const Eigen::VectorXd& low, const Eigen::VectorXd& high) : box_(low, high) {}
  void mark(const StepView<T>& view, Workspace& workspace, T* alive) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  void add_jumps(Jumps& jumps) const override { box_.add_jumps(jumps); }

 private:
  Box<T> box_;
};

/// Ends where the next state reaches the box [low, high], as a goal; a state that is nan has not reached it.
template <class T>
class Inside final : public Termination<T> {
 public:
  /// As for `Outside`.
  Inside(const Eigen::VectorXd& low, const Eigen::VectorXd& high) : box_(low, high) {}
  std::size_t workspace_bytes(Index lanes) const override { return Workspace::bytes<T>(lanes); }
  void mark(const StepView<T>& view, Workspace& workspace, T* alive) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  void add_jumps(Jumps& jumps) const override { box_.add_jumps(jumps); }

 private:
  Box<T> box_;
};

extern template class Outside<float>;
extern template class Outside<double>;
extern template class Inside<float>;
extern template class Inside<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

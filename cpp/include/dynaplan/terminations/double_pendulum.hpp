#pragma once

#include "dynaplan/core/two_links.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Ends where the tip of Gymnasium's InvertedDoublePendulum is at a height of 1 or below, or nan.
template <class T>
class DoublePendulumFallen final : public Termination<T> {
 public:
  explicit DoublePendulumFallen(const TwoLinks& links) : links_(links) {}
  void mark(const StepView<T>& view, Workspace& workspace, T* alive) const override;
  void require_dims(Index state_dim, Index /*action_dim*/) const override { require_state_dim(links_, state_dim); }

 private:
  TwoLinks links_;
};

extern template class DoublePendulumFallen<float>;
extern template class DoublePendulumFallen<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

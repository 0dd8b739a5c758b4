#pragma once

#include "dynaplan/core/two_links.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Ends where the tip of two links is no further than `reach` along the direction in which both angles are 0, or nan.
/// Gymnasium's InvertedDoublePendulum has fallen at a height of 1, its Acrobot has swung up at one of -1 below its
/// hinge.
template <class T>
class TwoLinksWithin final : public Termination<T> {
 public:
  /// Throws ValueError.
  TwoLinksWithin(const TwoLinks& links, double reach);
  void mark(const StepView<T>& view, Workspace& workspace, T* alive) const override;
  void require_dims(Index state_dim, Index /*action_dim*/) const override { require_state_dim(links_, state_dim); }
  // Sines and cosines are near 0 wherever the origin is.
  void add_jumps(Jumps& /*jumps*/) const override {}

 private:
  TwoLinks links_;
  T reach_;
};

extern template class TwoLinksWithin<float>;
extern template class TwoLinksWithin<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/rewards/ball_clearance.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
BallClearance<T>::BallClearance(const DistanceEntries& entries, double radius, const Clearance& clearance, At at)
    : distance_(entries),
      first_entry_(entries.from.front()),
      radius_(static_cast<T>(radius)),
      sign_(static_cast<T>(clearance.sign())),
      margin_(static_cast<T>(clearance.margin)),
      at_(at) {
  require_not_negative("radius", radius);
  require_not_negative("margin", clearance.margin);
}

template <class T>
void BallClearance<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = view.next.lanes;
  T* const squared = workspace.take<T>(lanes);
  distance_.squared(at_ == At::kState ? view.state : view.next, view.step, squared);
  Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::AlignedMax>(total, lanes) +=
      sign_ * (lanes_of<T>(squared, lanes).sqrt() - radius_) + margin_;
}

template <class T>
void BallClearance<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  distance_.require_state_dim(state_dim);
}

template <class T>
void BallClearance<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const Index first = step.state(at_);
  const T distance = std::sqrt(distance_.squared(step.values + first, step.step));
  out.value += sign_ * (distance - radius_) + margin_;
  if (distance > T(0)) {
    const T slope = sign_ / distance;
    distance_.add_derivatives(step, first, -slope / (distance * distance), slope, slope, out);
  } else {
    out.gradient[first + first_entry_] += sign_;  // from the centre every way leads out
  }
}

template class BallClearance<float>;
template class BallClearance<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

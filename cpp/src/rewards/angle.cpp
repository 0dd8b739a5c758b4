#include "dynaplan/rewards/angle.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
constexpr T kPi = static_cast<T>(3.14159265358979323846);

inline double direction(double y, double x) { return std::atan2(y, x); }

// atan2 without branches, so that lanes vectorise: Cephes' atanf polynomial on [0, tan(pi/8)], error below 2e-7.
inline float direction(float y, float x) {
  constexpr float kTanPi8 = 0.4142135624F;
  const float ax = x < 0.0F ? -x : x;
  const float ay = y < 0.0F ? -y : y;
  const float large = ax > ay ? ax : ay;
  const float small = ax > ay ? ay : ax;
  // Above tan(pi/8) the angle is pi/4 + atan((small - large) / (small + large)): one division either way.
  const bool upper = small > kTanPi8 * large;
  const float divisor = upper ? small + large : large;
  const float t = (upper ? small - large : small) / (divisor > 0.0F ? divisor : 1.0F);
  const float z = t * t;
  float angle =
      (((8.05374449538e-2F * z - 1.38776856032e-1F) * z + 1.99777106478e-1F) * z - 3.33329491539e-1F) * z * t + t;
  angle = upper ? angle + 0.25F * kPi<float> : angle;
  angle = ay > ax ? 0.5F * kPi<float> - angle : angle;
  angle = x < 0.0F ? kPi<float> - angle : angle;
  angle = y < 0.0F ? -angle : angle;
  // The comparisons above lose a nan; the sum brings it back.
  return angle + (x - x) + (y - y);
}

template <class T>
inline T wrapped(T angle) {
  constexpr T kTurn = 2 * kPi<T>;
  return angle - kTurn * std::nearbyint(angle / kTurn);
}

}  // namespace

template <class T>
AngleReward<T>::AngleReward(const AngleSource& source, double weight, const Eigen::MatrixXd& targets, At at)
    : source_(source), weight_(static_cast<T>(weight)), targets_(targets), at_(at) {
  require_finite("weight", weight);
  if (targets.rows() != 1) throw_shape_error("target", text_of(targets.rows()) + " entries a step", "one angle");
}

template <class T>
void AngleReward<T>::add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const {
  const ConstBlock<T> state = at_ == At::kState ? view.state : view.next;
  const T* first = state.row(source_.first);
  const T target = *targets_.at(view.step);
  if (source_.second < 0) {
    for (Index k = 0; k < state.lanes; ++k) {
      const T angle = wrapped(first[k] - target);
      total[k] -= weight_ * angle * angle;
    }
    return;
  }
  const T* second = state.row(source_.second);
  if (target == T(0)) {
    for (Index k = 0; k < state.lanes; ++k) {
      const T angle = direction(second[k], first[k]);
      total[k] -= weight_ * angle * angle;
    }
    return;
  }
  for (Index k = 0; k < state.lanes; ++k) {
    const T angle = wrapped(direction(second[k], first[k]) - target);
    total[k] -= weight_ * angle * angle;
  }
}

template <class T>
void AngleReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  for (const Index index : {source_.first, source_.second < 0 ? source_.first : source_.second}) {
    require_model_entry("reward", "an angle term", "state", index, state_dim);
  }
}

template <class T>
void AngleReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const Index base = step.state(at_);
  const Index first = base + source_.first;
  const bool is_direction = source_.second >= 0;
  const Index second = base + (is_direction ? source_.second : source_.first);
  const T x = step.values[first];
  const T y = step.values[second];
  const T angle = wrapped((is_direction ? direction(y, x) : x) - targets_.at(step.step)[0]);
  out.value -= weight_ * angle * angle;
  if (!is_direction) {
    out.gradient[first] -= T(2) * weight_ * angle;
    out.add_second(first, first, T(-2) * weight_);
    return;
  }
  const T squared = x * x + y * y;
  if (!(squared > T(0))) return;  // no direction, and none is better than another
  const Index entries[] = {first, second};
  const T slopes[] = {-y / squared, x / squared};
  out.add_chain(entries, slopes, 2, T(-2) * weight_ * angle, T(-2) * weight_);
  const T factor = T(-2) * weight_ * angle / (squared * squared);
  out.add_second(first, first, factor * T(2) * x * y);
  out.add_second(second, second, factor * T(-2) * x * y);
  out.add_second(first, second, factor * (y * y - x * x));
}

template class AngleReward<float>;
template class AngleReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

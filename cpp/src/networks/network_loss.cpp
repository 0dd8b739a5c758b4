#include "dynaplan/networks/network_loss.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/vector_math.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
using Lanes = LaneVector<T>;

// The soft bounds of the header, with the exponentials worked out: e^value = e^low + 1 / (e^-high + e^-raw), so that
// one exponential and one logarithm serve.
template <class T>
class Bounds {
 public:
  Bounds(T low, T high) : floor_(std::exp(low)), inverse_ceiling_(std::exp(-high)) {}

  struct Variance {
    Lanes<T> value;
    Lanes<T> precision;  // 1 / value
    Lanes<T> by_raw;     // slopes of its logarithm
    Lanes<T> by_low;
    Lanes<T> by_high;
  };

  [[gnu::always_inline]] Variance of(Lanes<T> raw) const {
    const Lanes<T> decay = fast_exp<T>(-raw);
    const Lanes<T> above_floor = T(1) / (inverse_ceiling_ + decay);
    const Lanes<T> value = floor_ + above_floor;
    const Lanes<T> precision = T(1) / value;
    const Lanes<T> share = above_floor * precision;
    return {value, precision, share * (decay * above_floor), floor_ * precision,
            share * (inverse_ceiling_ * above_floor)};
  }

 private:
  T floor_;
  T inverse_ceiling_;
};

template <class T>
[[gnu::always_inline]] inline Lanes<T> logarithm(Lanes<T> x) {
  Eigen::Array<T, kVectorLanes<T>, 1> numbers;
  store_lanes(numbers.data(), x);
  numbers = numbers.log();
  return load_lanes<T>(numbers.data());
}

template <class T>
T sum_of(Lanes<T> lanes) {
  T sum = 0;
  for (Index k = 0; k < kVectorLanes<T>; ++k) sum += lanes[k];
  return sum;
}

// 1 in the lanes that hold samples, 0 beyond; all but the last vector are full.
template <class T>
class Mask {
 public:
  explicit Mask(Index count) : count_(count) {
    for (Index k = 0; k < kVectorLanes<T>; ++k) last_[k] = k < (count - 1) % kVectorLanes<T> + 1 ? T(1) : T(0);
  }

  Lanes<T> at(Index lane) const { return lane + kVectorLanes<T> <= count_ ? Lanes<T>{} + T(1) : last_; }

 private:
  Index count_;
  Lanes<T> last_;
};

template <class T>
void clear(const LossGradient<T>& gradient, Index targets) {
  for (Index i = 0; i < gradient.outputs.dim; ++i) lanes_of(gradient.outputs, i).setZero();
  if (gradient.low == nullptr) return;
  std::fill_n(gradient.low, targets, T(0));
  std::fill_n(gradient.high, targets, T(0));
}

template <class T>
void squared_error(const LossInputs<T>& in, const LossGradient<T>* gradient, const LossSums& sums) {
  const T scale = T(2) / static_cast<T>(in.count * static_cast<Index>(in.learned->size()));
  const Mask<T> mask(in.count);
  for (const Index i : *in.learned) {
    Lanes<T> sum{};
    for (Index lane = 0; lane < in.outputs.lanes; lane += kVectorLanes<T>) {
      const Lanes<T> error =
          (load_lanes(in.outputs.row(i) + lane) - load_lanes(in.targets.row(i) + lane)) * mask.at(lane);
      sum += error * error;
      if (gradient != nullptr) store_lanes(gradient->outputs.row(i) + lane, scale * error);
    }
    sums.losses[i] += static_cast<double>(sum_of<T>(sum));
  }
}

template <class T>
[[gnu::always_inline]] inline Lanes<T> clipped(Lanes<T> x, T limit) {
  const Lanes<T> high = Lanes<T>{} + limit;
  const Lanes<T> at_most = x < high ? x : high;
  return at_most > -high ? at_most : -high;
}

template <class T>
void huber(const LossInputs<T>& in, const LossGradient<T>* gradient, const LossSums& sums) {
  const T scale = T(2) / static_cast<T>(in.count * static_cast<Index>(in.learned->size()));
  const Mask<T> mask(in.count);
  for (const Index i : *in.learned) {
    Lanes<T> sum{};
    Lanes<T> squares{};
    for (Index lane = 0; lane < in.outputs.lanes; lane += kVectorLanes<T>) {
      const Lanes<T> error =
          (load_lanes(in.outputs.row(i) + lane) - load_lanes(in.targets.row(i) + lane)) * mask.at(lane);
      const Lanes<T> pull = clipped<T>(error, in.cutoffs[i]);
      sum += pull * (error + error - pull);
      squares += pull * pull;
      if (gradient != nullptr) store_lanes(gradient->outputs.row(i) + lane, scale * pull);
    }
    sums.losses[i] += static_cast<double>(sum_of<T>(sum));
    if (sums.clipped_squares != nullptr) sums.clipped_squares[i] += static_cast<double>(sum_of<T>(squares));
  }
}

// What the errors of a mini-batch add to a loss of the mean m and the variance v, and its slopes by m and by ln v.
template <class T>
struct Pulls {
  Lanes<T> loss;
  Lanes<T> by_mean;
  Lanes<T> by_log_variance;
};

template <class T>
struct GaussianPull {
  [[gnu::always_inline]] static Pulls<T> of(Lanes<T> error, Lanes<T> precision) {
    const Lanes<T> weighted = error * precision;
    return {error * weighted, T(2) * weighted, -(error * weighted)};
  }
};

template <class T>
struct StudentPull {
  [[gnu::always_inline]] static Pulls<T> of(Lanes<T> error, Lanes<T> precision) {
    constexpr T kNumerator = static_cast<T>(kStudentDegrees + 1.0);
    constexpr T kInverse = static_cast<T>(1.0 / (kStudentDegrees * kStudentSquare));
    const Lanes<T> weighted = kInverse * error * precision;
    const Lanes<T> ratio = T(1) + error * weighted;
    const Lanes<T> weight = kNumerator / ratio;
    return {kNumerator * logarithm<T>(ratio), T(2) * weight * weighted, -(weight * error * weighted)};
  }
};

template <class T, class Pull>
void with_variance(const LossInputs<T>& in, const LossGradient<T>* gradient, const LossSums& sums) {
  const Index targets = in.targets.dim;
  const T scale = T(1) / static_cast<T>(in.count * static_cast<Index>(in.learned->size()));
  const Mask<T> mask(in.count);
  for (const Index i : *in.learned) {
    const Bounds<T> bounds(in.low[i], in.high[i]);
    Lanes<T> sum{};
    Lanes<T> by_low{};
    Lanes<T> by_high{};
    for (Index lane = 0; lane < in.outputs.lanes; lane += kVectorLanes<T>) {
      const Lanes<T> used = mask.at(lane);
      const Lanes<T> error = load_lanes(in.outputs.row(i) + lane) - load_lanes(in.targets.row(i) + lane);
      const auto variance = bounds.of(load_lanes(in.outputs.row(targets + i) + lane));
      const Pulls<T> pulls = Pull::of(error, variance.precision);
      sum += used * (pulls.loss + logarithm<T>(variance.value));
      if (gradient == nullptr) continue;
      const Lanes<T> share = scale * used;
      const Lanes<T> by_value = share * (T(1) + pulls.by_log_variance);
      store_lanes(gradient->outputs.row(i) + lane, share * pulls.by_mean);
      store_lanes(gradient->outputs.row(targets + i) + lane, by_value * variance.by_raw);
      by_low += by_value * variance.by_low;
      by_high += by_value * variance.by_high;
    }
    sums.losses[i] += static_cast<double>(sum_of<T>(sum));
    if (gradient == nullptr) continue;
    const bool apart = in.high[i] - in.low[i] > static_cast<T>(kMinBoundGap);
    const T penalty = apart ? static_cast<T>(kBoundPenalty) : T(0);
    gradient->low[i] = sum_of<T>(by_low) - penalty;
    gradient->high[i] = sum_of<T>(by_high) + penalty;
  }
}

// With e^-|m|, which cannot overflow: ln(1 + e^m) is max(m, 0) + ln(1 + e^-|m|), and its slope 1 / (1 + e^-m).
template <class T>
void logistic(const LossInputs<T>& in, const LossGradient<T>* gradient, const LossSums& sums) {
  const T scale = T(1) / static_cast<T>(in.count * static_cast<Index>(in.learned->size()));
  const Mask<T> mask(in.count);
  for (const Index i : *in.learned) {
    Lanes<T> sum{};
    for (Index lane = 0; lane < in.outputs.lanes; lane += kVectorLanes<T>) {
      const Lanes<T> used = mask.at(lane);
      const Lanes<T> log_odds = load_lanes(in.outputs.row(i) + lane);
      const Lanes<T> target = load_lanes(in.targets.row(i) + lane);
      const Lanes<T> positive = log_odds < T(0) ? Lanes<T>{} : log_odds;
      const Lanes<T> tail = logarithm<T>(T(1) + fast_exp<T>(log_odds - T(2) * positive));
      sum += used * (positive + tail - log_odds * target);
      if (gradient == nullptr) continue;
      store_lanes(gradient->outputs.row(i) + lane, scale * used * (fast_sigmoid<T>(log_odds) - target));
    }
    sums.losses[i] += static_cast<double>(sum_of<T>(sum));
  }
}

// Adds to the sums of the learned targets.
template <class T>
void evaluate(Loss loss, const LossInputs<T>& inputs, const LossGradient<T>* gradient, const LossSums& sums) {
  if (gradient != nullptr) clear(*gradient, inputs.targets.dim);
  if (inputs.learned->empty()) return;
  switch (loss) {
    case Loss::kSquaredError:
      squared_error(inputs, gradient, sums);
      break;
    case Loss::kGaussian:
      with_variance<T, GaussianPull<T>>(inputs, gradient, sums);
      break;
    case Loss::kHuber:
      huber(inputs, gradient, sums);
      break;
    case Loss::kStudent:
      with_variance<T, StudentPull<T>>(inputs, gradient, sums);
      break;
    case Loss::kLogistic:
      logistic(inputs, gradient, sums);
      break;
  }
}

}  // namespace

template <class T>
BoundedLogVariance<T> bounded_log_variance(T raw, T low, T high) {
  const auto variance = Bounds<T>(low, high).of(Lanes<T>{} + raw);
  return {std::log(variance.value[0]), variance.by_raw[0], variance.by_low[0], variance.by_high[0]};
}

template <class T>
void add_losses(Loss loss, const LossInputs<T>& inputs, const LossSums& sums) {
  evaluate<T>(loss, inputs, nullptr, sums);
}

template <class T>
void add_losses_and_gradient(Loss loss, const LossInputs<T>& inputs, const LossSums& sums,
                             const LossGradient<T>& gradient) {
  evaluate(loss, inputs, &gradient, sums);
}

template BoundedLogVariance<float> bounded_log_variance(float, float, float);
template BoundedLogVariance<double> bounded_log_variance(double, double, double);
template void add_losses<float>(Loss, const LossInputs<float>&, const LossSums&);
template void add_losses<double>(Loss, const LossInputs<double>&, const LossSums&);
template void add_losses_and_gradient<float>(Loss, const LossInputs<float>&, const LossSums&,
                                             const LossGradient<float>&);
template void add_losses_and_gradient<double>(Loss, const LossInputs<double>&, const LossSums&,
                                              const LossGradient<double>&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

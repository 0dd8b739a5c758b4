#include "dynaplan/fit/network_loss.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// One vector of lanes; Eigen has the exponential and the logarithm of it.
template <class T>
using Lanes = Eigen::Array<T, kVectorLanes<T>, 1>;

template <class T>
struct Softplus {
  Lanes<T> value;
  Lanes<T> slope;
};

// ln(1 + e^x) and its slope, the logistic function; neither overflows.
template <class T>
Softplus<T> softplus(const Lanes<T>& x) {
  const Lanes<T> small = (-x.abs()).exp();
  const Lanes<T> numerator = (x >= T(0)).select(Lanes<T>::Ones(), small);
  return {x.max(T(0)) + small.log1p(), numerator / (T(1) + small)};
}

template <class T>
struct LogVariance {
  Lanes<T> value;
  Lanes<T> by_raw;
  Lanes<T> by_low;
  Lanes<T> by_high;
};

template <class T>
LogVariance<T> bounded(const Lanes<T>& raw, T low, T high) {
  const Softplus<T> from_high = softplus<T>(high - raw);
  const Softplus<T> from_low = softplus<T>(high - from_high.value - low);
  return {low + from_low.value, from_low.slope * from_high.slope, T(1) - from_low.slope,
          from_low.slope * (T(1) - from_high.slope)};
}

// 1 in the lanes that hold samples, 0 beyond.
template <class T>
Lanes<T> mask(Index lane, Index count) {
  Lanes<T> used = Lanes<T>::Zero();
  used.head(std::clamp<Index>(count - lane, 0, kVectorLanes<T>)).setOnes();
  return used;
}

template <class T>
Eigen::Map<Lanes<T>, Eigen::AlignedMax> at(T* row) {
  return Eigen::Map<Lanes<T>, Eigen::AlignedMax>(row);
}

template <class T>
Lanes<T> read(const T* row) {
  return Eigen::Map<const Lanes<T>, Eigen::AlignedMax>(row);
}

template <class T>
double squared_error(const LossInputs<T>& in, const LossGradient<T>* gradient) {
  const Index targets = in.targets.dim;
  const T scale = T(2) / static_cast<T>(in.count * targets);
  double total = 0.0;
  for (Index i = 0; i < targets; ++i) {
    Lanes<T> sum = Lanes<T>::Zero();
    for (Index lane = 0; lane < in.outputs.lanes; lane += kVectorLanes<T>) {
      const Lanes<T> error =
          (read(in.outputs.row(i) + lane) - read(in.targets.row(i) + lane)) * mask<T>(lane, in.count);
      sum += error.square();
      if (gradient != nullptr) at(gradient->outputs.row(i) + lane) = scale * error;
    }
    total += static_cast<double>(sum.sum());
  }
  if (gradient == nullptr) return total;
  for (Index i = targets; i < in.outputs.dim; ++i) lanes_of(gradient->outputs, i).setZero();
  if (gradient->low != nullptr) {
    std::fill_n(gradient->low, targets, T(0));
    std::fill_n(gradient->high, targets, T(0));
  }
  return total;
}

template <class T>
double gaussian(const LossInputs<T>& in, const LossGradient<T>* gradient) {
  const Index targets = in.targets.dim;
  const T scale = T(1) / static_cast<T>(in.count * targets);
  double total = 0.0;
  for (Index i = 0; i < targets; ++i) {
    Lanes<T> sum = Lanes<T>::Zero();
    Lanes<T> by_low = Lanes<T>::Zero();
    Lanes<T> by_high = Lanes<T>::Zero();
    for (Index lane = 0; lane < in.outputs.lanes; lane += kVectorLanes<T>) {
      const Lanes<T> used = mask<T>(lane, in.count);
      const Lanes<T> error = read(in.outputs.row(i) + lane) - read(in.targets.row(i) + lane);
      const LogVariance<T> log_variance = bounded<T>(read(in.outputs.row(targets + i) + lane), in.low[i], in.high[i]);
      const Lanes<T> weighted = error * (-log_variance.value).exp();
      sum += used * (error * weighted + log_variance.value);
      if (gradient == nullptr) continue;
      const Lanes<T> by_value = (scale * used) * (T(1) - error * weighted);
      at(gradient->outputs.row(i) + lane) = (T(2) * scale * used) * weighted;
      at(gradient->outputs.row(targets + i) + lane) = by_value * log_variance.by_raw;
      by_low += by_value * log_variance.by_low;
      by_high += by_value * log_variance.by_high;
    }
    total += static_cast<double>(sum.sum());
    if (gradient == nullptr) continue;
    gradient->low[i] = by_low.sum() - static_cast<T>(kBoundPenalty);
    gradient->high[i] = by_high.sum() + static_cast<T>(kBoundPenalty);
  }
  return total;
}

template <class T>
double evaluate(Loss loss, const LossInputs<T>& inputs, const LossGradient<T>* gradient) {
  return loss == Loss::kSquaredError ? squared_error(inputs, gradient) : gaussian(inputs, gradient);
}

}  // namespace

template <class T>
BoundedLogVariance<T> bounded_log_variance(T raw, T low, T high) {
  const LogVariance<T> lanes = bounded<T>(Lanes<T>::Constant(raw), low, high);
  return {lanes.value(0), lanes.by_raw(0), lanes.by_low(0), lanes.by_high(0)};
}

template <class T>
double loss_sum(Loss loss, const LossInputs<T>& inputs) {
  return evaluate<T>(loss, inputs, nullptr);
}

template <class T>
double loss_sum_and_gradient(Loss loss, const LossInputs<T>& inputs, const LossGradient<T>& gradient) {
  return evaluate(loss, inputs, &gradient);
}

template BoundedLogVariance<float> bounded_log_variance(float, float, float);
template BoundedLogVariance<double> bounded_log_variance(double, double, double);
template double loss_sum<float>(Loss, const LossInputs<float>&);
template double loss_sum<double>(Loss, const LossInputs<double>&);
template double loss_sum_and_gradient<float>(Loss, const LossInputs<float>&, const LossGradient<float>&);
template double loss_sum_and_gradient<double>(Loss, const LossInputs<double>&, const LossGradient<double>&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

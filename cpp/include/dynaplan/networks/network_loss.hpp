#pragma once

#include <cmath>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What training minimises, with m the predicted mean, v the predicted variance and y the target. Everything that
/// distinguishes one loss from another is in this header and its source.
enum class Loss {
  kSquaredError,  // (m - y)^2; the log-variances, if there are any, are left alone
  kGaussian,      // (m - y)^2 / v + ln v: twice the negative log likelihood, less a constant
};

/// The loss of the warm-up, and the one after it.
constexpr Loss warm_up_loss() { return Loss::kSquaredError; }
constexpr Loss main_loss(bool probabilistic) { return probabilistic ? Loss::kGaussian : Loss::kSquaredError; }

/// Squared errors of standardised targets below this are rounding of float32.
inline constexpr double kRoundingError = 1e-14;

/// The mean of a loss on a scale where a fall by d means errors, or variances, less by the share 1 - e^-d.
inline double logarithmic(Loss loss, double mean) {
  return loss == Loss::kGaussian ? mean : std::log(mean < kRoundingError ? kRoundingError : mean);
}

/// Weight of `sum of high - sum of low` in the Gaussian loss, so that the learned bounds close in on the data
/// (Chua et al. 2018, appendix A.1).
inline constexpr double kBoundPenalty = 0.01;

/// The penalty brings the bounds no nearer to each other than this. Without it they would meet on data without noise,
/// where the variance is the same everywhere; their order is kept by ParameterLayout::order_bounds.
inline constexpr double kMinBoundGap = 1.0;

/// The log-variance that a raw output stands for, between two soft bounds, and its slopes.
template <class T>
struct BoundedLogVariance {
  T value;
  T by_raw;
  T by_low;
  T by_high;
};
template <class T>
BoundedLogVariance<T> bounded_log_variance(T raw, T low, T high);

/// A mini-batch at the end of the network.
template <class T>
struct LossInputs {
  ConstBlock<T> outputs;  // the means of the targets, then their raw log-variances if there are any
  ConstBlock<T> targets;
  Index count = 0;                              // lanes that hold samples; those beyond do not count
  const T* low = nullptr;                       // (targets) bounds of the log-variances
  const T* high = nullptr;                      // (targets)
  const std::vector<Index>* learned = nullptr;  // targets that the loss is made of; the others have no gradient
};

/// Where the gradient of the mean loss goes. `bounds` are those of the penalty too.
template <class T>
struct LossGradient {
  Block<T> outputs;   // as LossInputs::outputs; 0 in the lanes beyond `count`
  T* low = nullptr;   // (targets), null where there are no bounds
  T* high = nullptr;  // (targets)
};

/// Adds each learned target's sum of the loss over the samples, without the penalty, to `sums` (targets).
template <class T>
void add_losses(Loss loss, const LossInputs<T>& inputs, double* sums);

/// The same, with the gradient of `sum over targets / (samples x learned targets) + penalty`.
template <class T>
void add_losses_and_gradient(Loss loss, const LossInputs<T>& inputs, double* sums, const LossGradient<T>& gradient);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

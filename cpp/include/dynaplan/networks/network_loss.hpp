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
  kHuber,         // (m - y)^2 up to a cutoff, and linear beyond it
  kStudent,       // (n + 1) ln(1 + (m - y)^2 / (n k v)) + ln v: the same of Student's t with n degrees of freedom,
                  // whose square of the scale is k v
  kLogistic,      // ln(1 + e^m) - m y: the negative log likelihood of a y of 0 or 1, whose log-odds are m
};

/// In standard deviations: 95 % of the efficiency of squares where the noise is Gaussian (Huber 1981, "Robust
/// statistics", sec. 4.3).
inline constexpr double kHuberCutoff = 1.345;
/// The mean square of standard Gaussian numbers clipped to it.
inline constexpr double kHuberSquare = 0.7101645482690486;
/// 89 % of the efficiency where the noise is Gaussian, of which v is then the variance by the factor k; what a row adds
/// to the slope by ln v is at most n.
inline constexpr double kStudentDegrees = 4.0;
inline constexpr double kStudentSquare = 0.6905668068268682;

/// The loss of the warm-up, and the one after it.
constexpr Loss warm_up_loss(bool robust) { return robust ? Loss::kHuber : Loss::kSquaredError; }
constexpr Loss main_loss(bool probabilistic, bool robust) {
  if (!probabilistic) return warm_up_loss(robust);
  return robust ? Loss::kStudent : Loss::kGaussian;
}
constexpr bool has_variance(Loss loss) { return loss == Loss::kGaussian || loss == Loss::kStudent; }

/// Squared errors of standardised targets below this are rounding of float32.
inline constexpr double kRoundingError = 1e-14;

/// The mean of a loss on a scale where a fall by d means errors, or variances, less by the share 1 - e^-d.
inline double logarithmic(Loss loss, double mean) {
  return has_variance(loss) ? mean : std::log(mean < kRoundingError ? kRoundingError : mean);
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
  const T* cutoffs = nullptr;                   // (targets) of Loss::kHuber
};

/// What is added to, for each learned target: its sum over the samples of the loss, without the penalty.
struct LossSums {
  double* losses = nullptr;           // (targets)
  double* clipped_squares = nullptr;  // (targets) of the errors up to the cutoffs, by Loss::kHuber; or null
};

/// Where the gradient of the mean loss goes. `bounds` are those of the penalty too.
template <class T>
struct LossGradient {
  Block<T> outputs;   // as LossInputs::outputs; 0 in the lanes beyond `count`
  T* low = nullptr;   // (targets), null where there are no bounds
  T* high = nullptr;  // (targets)
};

template <class T>
void add_losses(Loss loss, const LossInputs<T>& inputs, const LossSums& sums);

/// The same, with the gradient of `sum over targets / (samples x learned targets) + penalty`.
template <class T>
void add_losses_and_gradient(Loss loss, const LossInputs<T>& inputs, const LossSums& sums,
                             const LossGradient<T>& gradient);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

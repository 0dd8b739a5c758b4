#include "dynaplan/fit/gaussian_likelihood.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "dynaplan/core/dense.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr double kLogTwoPi = 1.8378770664093454836;

// A wall at +-range, to be subtracted: (x / range)^30, as in PILCO. Adds its derivative to `slope`.
double penalty(double x, double range, double& slope) {
  constexpr int kPower = 30;
  const double share = x / range;
  const double below = std::pow(share, kPower - 1);
  slope += kPower * below / range;
  return share * below;
}

}  // namespace

GaussianLikelihood::GaussianLikelihood(Eigen::MatrixXd inputs, Eigen::VectorXd targets, const Interrupt* interrupt)
    : inputs_(std::move(inputs)), targets_(std::move(targets)), interrupt_(interrupt) {}

// In units of the signal's variance s^2: K = s^2 (R + r^2 1), with R the correlations and r noise / signal.
double GaussianLikelihood::value(const Eigen::VectorXd& logarithms, Eigen::VectorXd& gradient) const {
  if (interrupt_ != nullptr && interrupt_->requested()) throw Error("fit: interrupted");
  const Index dims = inputs();
  const double signal = std::exp(logarithms(dims));
  const double ratio_square = std::exp(2.0 * (logarithms(dims + 1) - logarithms(dims)));
  const Eigen::VectorXd scales = std::sqrt(0.5) * (-logarithms.head(dims).array()).exp();
  const Eigen::MatrixXd scaled = inputs_ * scales.asDiagonal();
  Eigen::MatrixXd correlation = squared_exponential(scaled);
  Eigen::MatrixXd covariance = correlation;
  covariance.diagonal().array() += ratio_square;
  const std::optional<Eigen::MatrixXd> lower = lower_factor_of(covariance);
  if (!lower) return -std::numeric_limits<double>::infinity();
  const Eigen::MatrixXd inverse_root = inverse_of_lower(*lower);
  const Eigen::MatrixXd white = product(inverse_root, targets_ / signal);
  const Eigen::MatrixXd weights = transposed_product(inverse_root, white);

  // With W = weights weights^T - (R + r^2 1)^-1 the derivative by a number is trace(W d(R + r^2 1)) / 2.
  const Eigen::MatrixXd precision = transposed_product(inverse_root, inverse_root);
  correlation.array() *= product_transposed(weights, weights).array() - precision.array();
  const Eigen::VectorXd row_sums = correlation.rowwise().sum();
  const Eigen::MatrixXd turned = product(correlation, scaled);
  for (Index d = 0; d < dims; ++d) {
    // The sum of W_ij R_ij (x_i - x_j)^2.
    const auto column = scaled.col(d).array();
    gradient(d) = 2.0 * (row_sums.array() * column.square() - turned.col(d).array() * column).sum();
  }
  gradient(dims) = row_sums.sum();
  gradient(dims + 1) = ratio_square * (weights.squaredNorm() - precision.trace());
  return -0.5 * white.squaredNorm() - lower->diagonal().array().log().sum() -
         static_cast<double>(targets_.size()) * (logarithms(dims) + 0.5 * kLogTwoPi);
}

double GaussianLikelihood::loss(const Eigen::VectorXd& logarithms, Eigen::VectorXd& gradient) const {
  double loss = -value(logarithms, gradient);
  gradient = -gradient;
  const Index dims = inputs();
  for (Index d = 0; d < dims; ++d) {
    const double range = std::log(logarithms(d) < 0.0 ? 1.0 / kMinScale : kMaxScale);
    loss += penalty(logarithms(d), range, gradient(d));
  }
  loss += penalty(logarithms(dims), std::log(kMaxSignal), gradient(dims));
  double of_ratio = 0.0;
  loss += penalty(logarithms(dims) - logarithms(dims + 1), std::log(kMaxSignalToNoise), of_ratio);
  gradient(dims) += of_ratio;
  gradient(dims + 1) -= of_ratio;
  return loss;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

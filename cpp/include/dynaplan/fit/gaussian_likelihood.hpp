#pragma once

#include "dynaplan/core/interrupt.hpp"
#include "dynaplan/models/gaussian_posterior.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How likely the logarithms of a kernel's numbers make some targets: of the length scales (inputs), then of signal_std
/// and of noise_std. Inputs and targets are standardised.
class GaussianLikelihood {
 public:
  /// Numbers beyond these are not sound; of the noise its ratio to the signal (Deisenroth & Rasmussen 2011, whose
  /// penalties these are). A function that varies over less than a tenth of the spread of an input is not to be told
  /// from noise by some hundred rows.
  static constexpr double kMinScale = 0.1;
  static constexpr double kMaxScale = 100.0;
  static constexpr double kMaxSignal = 100.0;
  static constexpr double kMaxSignalToNoise = 1e4;

  /// `inputs` (N, inputs), `targets` (N). A call throws Error once `interrupt`, which may be null, is requested.
  GaussianLikelihood(Eigen::MatrixXd inputs, Eigen::VectorXd targets, const Interrupt* interrupt = nullptr);

  Index inputs() const { return inputs_.cols(); }
  Index size() const { return inputs_.cols() + 2; }

  /// The log marginal likelihood and its gradient (Rasmussen & Williams 2006, eq. 5.8 and 5.9); minus infinity where
  /// the covariance is not positive definite in float64.
  double value(const Eigen::VectorXd& logarithms, Eigen::VectorXd& gradient) const;

  /// What a fit minimises: minus that, and a penalty near the bounds, which is next to nothing elsewhere.
  double loss(const Eigen::VectorXd& logarithms, Eigen::VectorXd& gradient) const;

 private:
  Eigen::MatrixXd inputs_;
  Eigen::VectorXd targets_;
  const Interrupt* interrupt_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

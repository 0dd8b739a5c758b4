#pragma once

#include "dynaplan/core/uninitialised.hpp"
#include "dynaplan/core/workspace.hpp"
#include "dynaplan/models/squared_exponential.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A lower triangular matrix, packed for products with blocks: its rows four at a time, as long as the last of them,
/// the four numbers of a column next to each other.
class PackedLower {
 public:
  explicit PackedLower(const Eigen::MatrixXd& lower);

  /// |L x|^2 of each lane of `x` (N, K) into `out` (K).
  void squared_norms(ConstBlock<double> x, double* out) const;

 private:
  static constexpr Index kRows = 4;

  template <int Vectors>
  void squared_norms_at(ConstBlock<double> x, Index lane, double* out) const;

  Index size_;
  UninitialisedVector<double> packed_;
};

/// Standard deviations of one Gaussian process and its length scales, those of the inputs' units: 1 / l, and 0 for an
/// input that has no effect.
struct GaussianKernel {
  Eigen::VectorXd inverse_length_scales;  // (inputs)
  double signal_std = 1.0;
  double noise_std = 1.0;
};

/// y = f(x) + noise given N of them, f a Gaussian process of mean 0 with the covariance
/// signal_std^2 exp(-sum_d (x_d - x'_d)^2 / (2 l_d^2)) (Rasmussen & Williams 2006, algorithm 2.1).
///
/// All is computed in units of signal_std^2, so that neither units nor their squares matter.
class GaussianPosterior {
 public:
  /// `inputs` (N, inputs), `targets` (N). Throws NumericalError where the covariance of the targets is not finite.
  GaussianPosterior(const Eigen::MatrixXd& inputs, const Eigen::VectorXd& targets, const GaussianKernel& kernel);

  double signal_std() const { return signal_std_; }
  double log_marginal_likelihood() const { return log_marginal_likelihood_; }
  /// Of each row (N), what share of the signal's variance the other rows leave open (sec. 5.4.2).
  const Eigen::VectorXd& left_out_shares() const { return left_out_shares_; }

  /// Scratch that one of the calls below takes.
  std::size_t workspace_bytes(Index lanes) const;
  /// E f of each lane of `inputs` (inputs, K) into `mean` (K).
  void mean(ConstBlock<double> inputs, Workspace& workspace, double* mean) const;
  /// The same, and the share of the signal's variance that the data leave open, in [0, 1], into `share` (K).
  void mean_and_share(ConstBlock<double> inputs, Workspace& workspace, double* mean, double* share) const;
  /// The same mean and its derivatives by the inputs, `slopes` (inputs, K).
  void mean_and_slopes(ConstBlock<double> inputs, Workspace& workspace, double* mean, Block<double> slopes) const;

 private:
  Block<double> scaled(ConstBlock<double> inputs, Workspace& workspace) const;

  Eigen::VectorXd scales_;  // (inputs), from an input to the kernel's
  double signal_std_;
  KernelRows rows_;           // (N, inputs)
  Eigen::VectorXd weights_;   // (N)
  PackedLower inverse_root_;  // (N, N), of the Cholesky factor
  double log_marginal_likelihood_ = 0.0;
  Eigen::VectorXd left_out_shares_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

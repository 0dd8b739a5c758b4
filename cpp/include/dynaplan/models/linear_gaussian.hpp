#pragma once

#include "dynaplan/models/linear.hpp"
#include "dynaplan/models/step_query.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The numbers of s' = W phi(s, a) + c + noise and their uncertainty.
struct LinearGaussianParameters {
  Eigen::MatrixXd weights;           // (S, features), of the next state itself
  Eigen::VectorXd intercept;         // (S), 0 where none was fitted
  Eigen::MatrixXd noise_covariance;  // (S, S)
  // The coefficients of output d have covariance noise_covariance(d, d) * spread * spread^T, with a spread (feature
  // columns, rank) for all outputs, or one for each.
  std::vector<Eigen::MatrixXd> spreads;
  Eigen::MatrixXd null_basis;  // (feature columns, columns - rank), orthonormal: directions no row has seen
  bool noise_known = true;     // false: there were no degrees of freedom left to estimate it
  double unseen_share = 1e-9;  // an input is unseen if more than this share of its features is in null_basis
};

/// A linear or polynomial model with Gaussian noise that also knows how well it knows its coefficients. Immutable.
class LinearGaussian {
 public:
  LinearGaussian(Index state_dim, const PolynomialFeatures& features, bool has_intercept,
                 LinearGaussianParameters parameters);

  Index state_dim() const { return state_dim_; }
  Index action_dim() const { return features_.inputs() - state_dim_; }
  const PolynomialFeatures& features() const { return features_; }
  const LinearGaussianParameters& parameters() const { return parameters_; }

  template <class T>
  LinearDynamics<T> dynamics() const {
    return LinearDynamics<T>(state_dim_, features_, parameters_.weights, parameters_.intercept, noise_factor_);
  }

  /// `mean` (count, S); `aleatoric` and `epistemic` variances (count, S), or null. Epistemic variance is infinite where
  /// the input reaches into directions that no training row has seen.
  void predict(const StepQuery& query, double* mean, double* aleatoric, double* epistemic) const;

 private:
  class Predictor;

  Index state_dim_;
  PolynomialFeatures features_;
  bool has_intercept_;
  LinearGaussianParameters parameters_;
  Eigen::MatrixXd noise_factor_;  // lower, its square is the noise covariance
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

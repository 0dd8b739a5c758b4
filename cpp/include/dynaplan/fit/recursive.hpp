#pragma once

#include "dynaplan/fit/linear_gaussian_fit.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Recursive least squares, square-root form: before each transition all earlier rows are weighed down by the
/// forgetting factor, then one row is rotated into R (Sayed & Kailath 1994). The estimate is the weighted
/// least-squares solution at every moment, with no initial covariance to choose. Not for use by two threads at once.
class RecursiveLeastSquares {
 public:
  /// `forgetting` in (0, 1]: 1 keeps everything; 1 / (1 - forgetting) is the memory in transitions.
  RecursiveLeastSquares(const RegressionDesign& design, double ridge, double forgetting);
  /// Continues from a fit.
  RecursiveLeastSquares(const LinearGaussianFit& fit, double forgetting);

  /// Takes in one transition: `state` (S), `action` (A), `next_state` (S). Throws ValueError and changes nothing if a
  /// value is not finite.
  void update(const double* state, const double* action, const double* next_state);

  /// The model of the data so far; throws ValueError before the first transition.
  LinearGaussianFit fit() const;

  const RegressionDesign& design() const { return design_; }
  double forgetting() const { return forgetting_; }
  double rows() const { return factor_.rows(); }

 private:
  RegressionDesign design_;
  double ridge_;
  double forgetting_;
  TriangularFactor factor_;
  InputSummary inputs_seen_;
  Workspace workspace_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

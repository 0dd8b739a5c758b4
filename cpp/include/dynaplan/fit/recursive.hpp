#pragma once

#include "dynaplan/fit/linear_gaussian_fit.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What each transition makes a recursion forget: `kExponential` as much of all that came before; `kDirectional` as
/// much of what was known in the direction of its own features, and nothing of the others (Cao & Schwartz 2000).
/// Directions are those of features in units of their typical sizes, so that they do not depend on the units of the
/// data.
enum class Forgetting { kExponential, kDirectional };

/// Recursive least squares, square-root form: before each transition what is known is weighed down by the forgetting
/// factor, then one row is rotated into R (Sayed & Kailath 1994). With exponential forgetting the estimate is the
/// weighted least-squares solution at every moment. There is no initial covariance to choose. Not for use by two
/// threads at once.
class RecursiveLeastSquares {
 public:
  /// What updates change, so that a copy can continue elsewhere.
  struct State {
    TriangularFactor factor;
    InputSummary inputs_seen;
    bool fades;
    Eigen::ArrayXd sizes;
  };

  /// `forgetting` in (0, 1]: 1 keeps everything. 1 / (1 - forgetting) is the memory in transitions; in those that speak
  /// of the same inputs where forgetting is directional.
  RecursiveLeastSquares(const RegressionDesign& design, const Regularisation& regularisation, double forgetting,
                        Forgetting kind);
  /// Continues from a fit.
  RecursiveLeastSquares(const LinearGaussianFit& fit, double forgetting, Forgetting kind);

  /// Takes in one transition: `state` (S), `action` (A), `next_state` (S). Throws ValueError if a value is not finite,
  /// NumericalError if a feature is not, and changes nothing then.
  void update(const double* state, const double* action, const double* next_state);

  /// The model of the data so far; throws ValueError before the first transition. A feature whose last traces have
  /// faded beyond rounding of what is remembered of the rest counts as never seen.
  LinearGaussianFit fit() const;

  State state() const { return {factor_, inputs_seen_, fades_, sizes_}; }
  /// Goes where another of the same design was. Throws ShapeError.
  void restore(State state);

  const RegressionDesign& design() const { return design_; }
  double forgetting() const { return forgetting_; }
  double rows() const { return factor_.rows(); }

 private:
  void forget(const double* row);
  void forget_along(const double* row);
  TriangularFactor without_traces() const;

  RegressionDesign design_;
  Regularisation regularisation_;
  double forgetting_;
  Forgetting kind_;
  TriangularFactor factor_;
  InputSummary inputs_seen_;
  InputSummary seen_before_;  // the current transition
  bool fades_ = false;        // what is known of any input, with every transition
  Eigen::ArrayXd sizes_;      // typical ones of the features where they are not 0
  Eigen::VectorXd direction_;
  Workspace workspace_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include "dynaplan/fit/factor_rows.hpp"
#include "dynaplan/fit/least_squares.hpp"
#include "dynaplan/models/linear_gaussian.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A fitted linear-Gaussian model together with the factor it came from, so that more data can be appended or another
/// fit merged. Immutable: `updated` and `merged` give new ones.
class LinearGaussianFit {
 public:
  /// Throws what `validate`, `require_finite` and `solve_least_squares` throw, and ValueError for a regularisation that
  /// is out of range; Error once `interrupt`, which may be null, is requested between two parts of the work.
  static LinearGaussianFit fit(const RegressionDesign& design, const RegressionData& data,
                               const Regularisation& regularisation, int threads, const Interrupt* interrupt = nullptr);
  /// From a factor made elsewhere, such as a recursive one.
  LinearGaussianFit(const RegressionDesign& design, TriangularFactor factor, InputSummary seen,
                    const Regularisation& regularisation);

  LinearGaussianFit updated(const RegressionData& data, int threads, const Interrupt* interrupt = nullptr) const;
  /// Throws ShapeError, ValueError unless the other was fitted with the same design and regularisation.
  LinearGaussianFit merged(const LinearGaussianFit& other) const;

  const RegressionDesign& design() const { return design_; }
  const TriangularFactor& factor() const { return factor_; }
  const InputSummary& inputs_seen() const { return inputs_seen_; }
  const Regularisation& regularisation() const { return regularisation_; }
  const LeastSquaresSolution& solution() const { return solution_; }
  const LinearGaussian& model() const { return model_; }

 private:
  RegressionDesign design_;
  TriangularFactor factor_;
  InputSummary inputs_seen_;
  Regularisation regularisation_;
  LeastSquaresSolution solution_;
  LinearGaussian model_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

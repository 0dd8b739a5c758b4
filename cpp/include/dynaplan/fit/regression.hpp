#pragma once

#include "dynaplan/models/features.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Transitions as the fit reads them: row-major, borrowed for the call.
struct RegressionData {
  const double* states = nullptr;       // (count, S)
  const double* actions = nullptr;      // (count, A)
  const double* next_states = nullptr;  // (count, S)
  const double* weights = nullptr;      // (count) >= 0, or null: all 1
  Index count = 0;

  /// Rows whose weight is above 0.
  double counted_rows() const;
};

/// What is remembered of the inputs of a data set, states then actions: the smallest and largest value of each, and
/// whether all are exact in float32, as observations mostly are. Then they have seven digits, no more.
struct InputSummary {
  Eigen::ArrayXd low;
  Eigen::ArrayXd high;
  bool float32_exact = true;

  explicit InputSummary(Index inputs);
  /// Takes in inputs `first`, `first + 1`, ... of `count` rows.
  void include(ConstBlock<double> inputs, Index first, Index count);
  /// Takes in another part of the same data set.
  void include(const InputSummary& part);
  /// Takes in another data set: one with seven digits limits the whole to seven.
  void append(const InputSummary& other);
};

/// How transitions become the rows [features 1 | targets] of a regression.
struct RegressionDesign {
  Index state_dim;
  PolynomialFeatures features;
  bool intercept = true;
  bool predicts_change = true;  // targets are s' - s, else s'

  Index action_dim() const { return features.inputs() - state_dim; }
  Index feature_columns() const { return features.count() + (intercept ? 1 : 0); }
  Index columns() const { return feature_columns() + state_dim; }

  /// Writes rows `first`, `first + step`, ... (`count` of them) into `out` (columns, K), times the square root of their
  /// weights; lanes beyond `count` become 0. Widens `seen` by the inputs.
  void pack(const RegressionData& data, Index first, Index step, Index count, Block<double> out,
            InputSummary& seen) const;
};

/// Throws ShapeError, ValueError unless there is at least one row, and weights that are not negative.
void validate(const RegressionData& data);

/// Throws ValueError naming the first value that is not finite. A separate pass over the data: needed only where a
/// result is not finite, as anything computed from such a value is not.
void require_finite_data(const RegressionDesign& design, const RegressionData& data);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

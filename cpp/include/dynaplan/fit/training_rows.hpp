#pragma once

#include <vector>

#include "dynaplan/networks/network.hpp"
#include "dynaplan/networks/parameter_layout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Transitions as rows in memory; `rewards` may be null where the network does not learn them.
struct NetworkData {
  const double* states = nullptr;       // (count, S)
  const double* actions = nullptr;      // (count, A)
  const double* next_states = nullptr;  // (count, S)
  const double* rewards = nullptr;      // (count)
  Index count = 0;
};

/// One transition as the network sees it, before scaling: `inputs` and `targets` have shape.inputs() and
/// shape.targets() places.
void encode_transition(const NetworkShape& shape, const NetworkData& data, Index row, double* inputs, double* targets);

struct DataUnits {
  /// Means and standard deviations of the training rows. A column that does not vary beyond rounding gets the scale 1:
  /// then it enters as 0 and cannot do harm. A target that varies in the held-out rows alone gets its largest deviation
  /// there.
  NetworkScaling scaling;
  /// The targets that do not vary beyond rounding, neither in the training nor in the held-out rows.
  std::vector<Index> constant_targets;
};

DataUnits units_of(const NetworkShape& shape, const NetworkData& training, const NetworkData& held_out);

/// Standardised transitions, one a row: [inputs, padded with zeros to whole vectors | targets, padded likewise].
template <class T>
class TrainingRows {
 public:
  TrainingRows(const NetworkShape& shape, const NetworkScaling& scaling, const NetworkData& data);

  Index count() const { return count_; }
  Index stride() const { return stride_; }
  /// Where the targets begin in a row; so many numbers the padded inputs have.
  Index targets_at() const { return targets_at_; }
  const T* row(Index i) const { return numbers_.data() + i * stride_; }
  std::vector<T> target(Index target) const;
  /// Of each target.
  std::vector<double> mean_squares(Index targets) const;

 private:
  Index count_;
  Index targets_at_;
  Index stride_;
  Numbers<T> numbers_;
};

extern template class TrainingRows<float>;
extern template class TrainingRows<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

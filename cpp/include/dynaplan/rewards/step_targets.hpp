#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "dynaplan/core/check.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a term is to reach at each step: n numbers a step, the last ones at all steps beyond.
template <class T>
class StepTargets {
 public:
  /// `targets` (n, steps): a column a step, a single one for all. Throws ShapeError, ValueError.
  explicit StepTargets(const Eigen::MatrixXd& targets) : dim_(targets.rows()), steps_(targets.cols()) {
    if (steps_ < 1) throw_shape_error("target", "no steps", "one row for each step, or one for all");
    require_finite_matrix("target", targets.transpose());
    values_.reserve(static_cast<std::size_t>(targets.size()));
    for (const double value : targets.reshaped()) values_.push_back(static_cast<T>(value));
  }

  Index dim() const { return dim_; }
  bool vary() const { return steps_ > 1; }
  UseOfStep use_of_step() const { return vary() ? UseOfStep::kNeedsStep : UseOfStep::kNone; }
  /// The n numbers of `step`.
  const T* at(Index step) const { return values_.data() + std::min(step, steps_ - 1) * dim_; }

 private:
  Index dim_;
  Index steps_;
  std::vector<T> values_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/terminal_expansion.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/planners/finite_or_zero.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Far enough that the differences of values in float32, as a critic's, still say something; the formulas are of fourth
// order, so that those in float64 lose nothing by it.
constexpr double kReach = 5e-3;

}  // namespace

void TerminalExpansion::prepare(const ExactPlanProblem& problem, Derivatives derivatives) {
  derivatives_ = derivatives;
  if (problem.terminal_value == nullptr) return;
  const Index size = problem.rollout.dynamics->state_dim();
  gradient_.resize(size);
  hessian_.resize(size, size);
  reaches_.resize(static_cast<std::size_t>(size));
  const Index count = 1 + 4 * size + (derivatives == Derivatives::kSecond ? size * (size - 1) : 0);
  points_.resize(static_cast<std::size_t>(count * size));
  values_.resize(static_cast<std::size_t>(count));
}

// The points: the state itself, four along each axis, then for each pair of axes one up both and one down both.
void TerminalExpansion::compute(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) {
  is_zero_ = problem.terminal_value == nullptr || trajectory.ends;
  if (is_zero_) return;
  const Index size = gradient_.size();
  double* point = points_.data();
  const auto lay_out = [&](Index i, double steps_along_i, Index j, double steps_along_j) {
    std::copy_n(trajectory.state(trajectory.length, size), size, point);
    point[i] += steps_along_i * reaches_[static_cast<std::size_t>(i)];
    point[j] += steps_along_j * reaches_[static_cast<std::size_t>(j)];
    point += size;
  };
  for (Index i = 0; i < size; ++i) {
    reaches_[static_cast<std::size_t>(i)] = kReach * range_of_state(problem, trajectory, i);
  }
  lay_out(0, 0.0, 0, 0.0);
  for (Index i = 0; i < size; ++i) {
    for (const double steps : {1.0, -1.0, 2.0, -2.0}) lay_out(i, steps, i, 0.0);
  }
  for (Index i = 0; i < size && derivatives_ == Derivatives::kSecond; ++i) {
    for (Index j = i + 1; j < size; ++j) {
      for (const double sign : {1.0, -1.0}) lay_out(i, sign, j, sign);
    }
  }
  problem.terminal_value->value(points_.data(), static_cast<Index>(values_.size()), values_.data());

  const double middle = values_[0];
  const double* const axes = values_.data() + 1;
  const double* pair = axes + 4 * size;
  for (Index i = 0; i < size; ++i) {
    const double* const along = axes + 4 * i;
    const double reach = reaches_[static_cast<std::size_t>(i)];
    gradient_(i) = finite_or_zero((8.0 * (along[0] - along[1]) - (along[2] - along[3])) / (12.0 * reach));
    if (derivatives_ == Derivatives::kFirst) continue;
    const double near = along[0] - 2.0 * middle + along[1];
    const double far = along[2] - 2.0 * middle + along[3];
    hessian_(i, i) = finite_or_zero((16.0 * near - far) / (12.0 * reach * reach));
    for (Index j = i + 1; j < size; ++j, pair += 2) {
      const double* const other = axes + 4 * j;
      const double sum = pair[0] - along[0] - other[0] + 2.0 * middle - along[1] - other[1] + pair[1];
      const double mixed = finite_or_zero(sum / (2.0 * reach * reaches_[static_cast<std::size_t>(j)]));
      hessian_(i, j) = hessian_(j, i) = mixed;
    }
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

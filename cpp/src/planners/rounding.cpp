#include "dynaplan/planners/rounding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The larger of what two nudges change: one may come out where it began, on the other side of a target. To what is no
// number, or from it, is as far as can be.
template <class T>
T changed_by_nudges(const T* lanes) {
  const T up = std::abs(lanes[1] - lanes[0]);
  const T down = std::abs(lanes[2] - lanes[0]);
  return std::isfinite(up) && std::isfinite(down) ? std::max(up, down) : std::numeric_limits<T>::infinity();
}

template <class T>
T quantile(double part, std::vector<T>& values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

template <class T>
double share(T rounding, T spread) {
  if (spread > T(0)) return static_cast<double>(rounding) / static_cast<double>(spread);
  return rounding > T(0) ? std::numeric_limits<double>::infinity() : 0.0;
}

// How wide the bounds of an action are at least, where they are not equal.
template <class T>
double narrowest(const PlanProblemOf<T>& problem, Index dim) {
  double width = problem.action_high[dim] - problem.action_low[dim];
  for (Index step = 0; step < problem.bound_steps; ++step) {
    const double of_step = problem.high_at(step, dim) - problem.low_at(step, dim);
    if (of_step > 0.0) width = std::min(width, of_step);
  }
  return width;
}

}  // namespace

template <class T>
void CandidateSpread<T>::measure(const T* totals, const T* states, Index stride, Index state_dim, Index count) {
  constexpr Index kSample = 64;
  const auto sample = [&](const T* values, Index step) {
    sample_.clear();
    for (Index n = 0; n < std::min(count, kSample); ++n) {
      if (std::isfinite(values[n * step])) sample_.push_back(values[n * step]);
    }
    return !sample_.empty();
  };
  ends.clear();
  for (Index i = 0; states != nullptr && i < state_dim; ++i) {
    ends.push_back(sample(states + i, stride) ? quantile(0.75, sample_) - quantile(0.25, sample_) : T(0));
  }
  is_known = sample(totals, 1);
  if (!is_known) return;
  best = *std::max_element(sample_.begin(), sample_.end());
  returns = best - quantile(0.5, sample_);
  if (!(returns > T(0))) returns = best - *std::min_element(sample_.begin(), sample_.end());
}

template <class T>
void nudge(Block<T> block) {
  for (Index i = 0; i < block.dim; ++i) {
    for (Index k = 1; k < block.lanes; ++k) {
      constexpr T kStep = std::numeric_limits<T>::epsilon();
      block.row(i)[k] *= (i + k) % 2 == 0 ? T(1) + kStep : T(1) - kStep;
    }
  }
}

template <class T>
Rounding rounding_of(const CandidateSpread<T>& spread, const T* returns) {
  if (!spread.is_known || !std::isfinite(returns[0])) return {std::numeric_limits<double>::infinity()};
  // What is below the smallest normal number may count as 0.
  const T size = std::max(std::abs(spread.best), std::abs(returns[0]));
  const T last_digit = std::max(T(0.5) * std::numeric_limits<T>::epsilon() * size, std::numeric_limits<T>::min());
  const T change = changed_by_nudges(returns);
  return {share(std::max(last_digit, change), spread.returns), change > T(10) * last_digit,
          static_cast<double>(spread.returns)};
}

template <class T>
bool is_rounding_unseen(const PlanProblemOf<T>& problem, const CandidateSpread<T>& spread, ConstBlock<T> ends) {
  for (Index i = 0; i < ends.dim; ++i) {
    const T change = changed_by_nudges(ends.row(i));
    if (!(share(change, spread.ends[static_cast<std::size_t>(i)]) <= kMaxRounding)) return false;
  }
  for (Index i = 0; i < problem.rollout.dynamics->action_dim(); ++i) {
    const double size = std::max(std::abs(problem.action_low[i]), std::abs(problem.action_high[i]));
    const double width = narrowest(problem, i);
    const double step = static_cast<double>(std::numeric_limits<T>::epsilon()) * size;
    if (width > 0.0 && step > kMaxRounding * width) return false;
  }
  return true;
}

template struct CandidateSpread<float>;
template struct CandidateSpread<double>;
template void nudge(Block<float>);
template void nudge(Block<double>);
template Rounding rounding_of(const CandidateSpread<float>&, const float*);
template Rounding rounding_of(const CandidateSpread<double>&, const double*);

template bool is_rounding_unseen(const PlanProblem&, const CandidateSpread<float>&, ConstBlock<float>);
template bool is_rounding_unseen(const ExactPlanProblem&, const CandidateSpread<double>&, ConstBlock<double>);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

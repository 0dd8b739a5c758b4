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
T quantile(double share, std::vector<T>& values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

template <class T>
double share(T rounding, T spread) {
  if (spread > T(0)) return static_cast<double>(rounding) / static_cast<double>(spread);
  return rounding > T(0) ? std::numeric_limits<double>::infinity() : 0.0;
}

// By the finest step of numbers as large as the bounds.
template <class T>
double rounding_of_actions(const PlanProblemOf<T>& problem) {
  double largest = 0.0;
  for (Index i = 0; i < problem.rollout.dynamics->action_dim(); ++i) {
    const double size = std::max(std::abs(problem.action_low[i]), std::abs(problem.action_high[i]));
    const double width = problem.action_high[i] - problem.action_low[i];
    if (width > 0.0) largest = std::max(largest, static_cast<double>(std::numeric_limits<T>::epsilon()) * size / width);
  }
  return largest;
}

}  // namespace

template <class T>
void CandidateSpread<T>::measure(const T* totals, const T* states, Index stride, Index state_dim, Index count) {
  constexpr Index kSample = 64;
  const Index sampled = std::min(count, kSample);
  const auto take = [&](const T* values, Index step) {
    sample_.clear();
    for (Index n = 0; n < sampled; ++n) {
      if (std::isfinite(values[n * step])) sample_.push_back(values[n * step]);
    }
    return !sample_.empty();
  };
  is_known = take(totals, 1);
  if (is_known) {
    best = *std::max_element(sample_.begin(), sample_.end());
    returns = best - quantile(0.5, sample_);
    if (!(returns > T(0))) returns = best - *std::min_element(sample_.begin(), sample_.end());
  }
  ends.clear();
  if (states == nullptr) return;
  for (Index i = 0; i < state_dim; ++i) {
    const bool some = take(states + i, stride);
    ends.push_back(some ? quantile(0.75, sample_) - quantile(0.25, sample_) : T(0));
  }
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
Rounding rounding_of(const PlanProblemOf<T>& problem, const CandidateSpread<T>& spread, const T* totals,
                     ConstBlock<T> end, double value) {
  if (!spread.is_known || !std::isfinite(value)) return {std::numeric_limits<double>::infinity(), false};
  // What is below the smallest normal number may count as 0.
  const T size = std::max(std::abs(spread.best), std::abs(static_cast<T>(value)));
  const T last_digit = std::max(T(0.5) * std::numeric_limits<T>::epsilon() * size, std::numeric_limits<T>::min());
  const T change = problem.score == nullptr ? changed_by_nudges(totals) : T(0);
  Rounding rounding{share(std::max(last_digit, change), spread.returns), change > T(10) * last_digit};
  if (spread.ends.empty()) return rounding;
  for (Index i = 0; i < end.dim; ++i) {
    const T apart = spread.ends[static_cast<std::size_t>(i)];
    if (apart > T(0)) rounding.share = std::max(rounding.share, share(changed_by_nudges(end.row(i)), apart));
  }
  rounding.share = std::max(rounding.share, rounding_of_actions(problem));
  return rounding;
}

template struct CandidateSpread<float>;
template struct CandidateSpread<double>;
template void nudge(Block<float>);
template void nudge(Block<double>);
template Rounding rounding_of(const PlanProblem&, const CandidateSpread<float>&, const float*, ConstBlock<float>,
                              double);
template Rounding rounding_of(const ExactPlanProblem&, const CandidateSpread<double>&, const double*,
                              ConstBlock<double>, double);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/search_distribution.hpp"

#include <algorithm>
#include <cmath>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// The bounds come first in both comparisons, so that a nan (of infinity times zero) is on the lower one.
float within(float low, float value, float high) { return std::min(high, std::max(low, value)); }

}  // namespace

void SearchDistribution::start(const PlanProblem& problem, Index horizon, double initial_std) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const Index size = horizon * action_dim;
  for (std::vector<float>* entries : {&mean, &std, &low_, &high_, &half_width_, &elite_mean_, &squares_}) {
    entries->resize(at(size));
  }
  for (Index row = 0; row < size; ++row) {
    const double low = problem.action_low[row % action_dim];
    const double high = problem.action_high[row % action_dim];
    low_[at(row)] = float_bound(low);
    high_[at(row)] = float_bound(high);
    half_width_[at(row)] = float_bound(0.5 * high - 0.5 * low);
    mean[at(row)] = float_bound(problem.start_action(row));
    std[at(row)] = static_cast<float>(initial_std) * half_width_[at(row)];
    // From the last action, as wide as the farther bound is away, but no wider than it can have moved by then.
    if (problem.action_rate == nullptr || problem.last_action == nullptr) continue;
    const Index steps = row / action_dim + 1;
    const double reach = problem.action_rate[row % action_dim] * static_cast<double>(steps);
    const float farther = std::max(high_[at(row)] - mean[at(row)], mean[at(row)] - low_[at(row)]);
    std[at(row)] = std::min(static_cast<float>(initial_std) * farther, float_bound(reach));
  }
}

void SearchDistribution::draw(Block<float> actions) const {
  for (Index row = 0; row < actions.dim; ++row) draw_row(row, std[at(row)], actions);
}

void SearchDistribution::draw_narrow(Block<float> actions) const {
  for (Index row = 0; row < actions.dim; ++row) {
    const float room = std::max(std::min(mean[at(row)] - low_[at(row)], high_[at(row)] - mean[at(row)]), 0.0F);
    draw_row(row, std::min(std[at(row)], 0.5F * room), actions);
  }
}

void SearchDistribution::draw_row(Index row, float spread, Block<float> actions) const {
  const float middle = mean[at(row)];
  const float low = low_[at(row)];
  const float high = high_[at(row)];
  float* const value = actions.row(row);
  for (Index k = 0; k < actions.lanes; ++k) value[k] = within(low, middle + spread * value[k], high);
}

float SearchDistribution::widest() const {
  float widest = 0.0F;
  for (std::size_t row = 0; row < std.size(); ++row) {
    if (half_width_[row] > 0.0F) widest = std::max(widest, std[row] / half_width_[row]);
  }
  return widest;
}

float SearchDistribution::mean_action(Index row) const { return within(low_[at(row)], mean[at(row)], high_[at(row)]); }

// Plain loops: Eigen would treat the first entries apart, by how the memory happens to be aligned, and round them
// differently.
void SearchDistribution::fit(const float* elites, Index count, double smoothing, double min_std) {
  const auto size = static_cast<Index>(mean.size());
  const auto keep = static_cast<float>(smoothing);
  const float share = 1.0F / static_cast<float>(count);
  float* const elite_mean = elite_mean_.data();
  float* const squares = squares_.data();
  std::fill_n(elite_mean, size, 0.0F);
  std::fill_n(squares, size, 0.0F);
  for (Index e = 0; e < count; ++e) {
    for (Index row = 0; row < size; ++row) elite_mean[row] += share * elites[e * size + row];
  }
  for (Index e = 0; e < count; ++e) {
    for (Index row = 0; row < size; ++row) {
      const float difference = elites[e * size + row] - elite_mean[row];
      squares[row] += share * difference * difference;
    }
  }
  for (Index row = 0; row < size; ++row) {
    const float floor = static_cast<float>(min_std) * half_width_[at(row)];
    mean[at(row)] += (1.0F - keep) * (elite_mean[row] - mean[at(row)]);
    std[at(row)] += (1.0F - keep) * (std::sqrt(squares[row]) - std[at(row)]);
    std[at(row)] = std::max(std[at(row)], floor);
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

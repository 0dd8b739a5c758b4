#include "dynaplan/planners/reward_differences.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The fourth root of a double's precision: where a second difference's two errors, of the series and of rounding, meet.
constexpr double kReach = 1e-4;

// The sum of the terms, or 0 where it is no more than their rounding.
template <std::size_t N>
double difference(const double (&terms)[N]) {
  double sum = 0.0;
  double size = 0.0;
  for (const double term : terms) {
    sum += term;
    size += std::abs(term);
  }
  return std::abs(sum) <= 8.0 * std::numeric_limits<double>::epsilon() * size ? 0.0 : sum;
}

}  // namespace

double range_of_state(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index dim) {
  if (const StateLimits<double>* const limits = problem.rollout.limits) {
    const auto entry = static_cast<std::size_t>(dim);
    const double range = 0.25 * (limits->high[entry] - limits->low[entry]);
    if (range > 0.0 && std::isfinite(range)) return range;
  }
  double range = 1.0;
  for (Index t = 0; t <= trajectory.length; ++t) {
    range = std::max(range, std::abs(trajectory.state(t, problem.rollout.dynamics->state_dim())[dim]));
  }
  return range;
}

void RewardDifferences::prepare(const ExactPlanProblem& problem, const WholeState& whole, Index horizon,
                                Derivatives derivatives) {
  whole_ = whole;
  derivatives_ = derivatives;
  find_moves();
  one_step_ = problem.rollout;
  one_step_.termination = nullptr;
  one_step_.allowed = nullptr;  // a reward has derivatives also where no plan may go
  one_step_.constraints.clear();
  one_step_.discount = 1.0;
  reaches_.resize(static_cast<std::size_t>(variables()));
  const Index count = horizon * points();
  rewards_.resize(static_cast<std::size_t>(count));
  if (one_step_.reward == nullptr) {
    paths_.resize(static_cast<std::size_t>(count * 2 * whole.state_dim));
    sequences_.resize(static_cast<std::size_t>(count * whole.action_dim));
  }
  const Index blocks = horizon * ((points() + kMaxLanes - 1) / kMaxLanes);
  workspaces_.resize(std::max(workspaces_.size(), static_cast<std::size_t>(usable_threads(blocks, problem.threads))));
  const std::size_t bytes = Workspace::bytes<double>(variables() * kMaxLanes) + Workspace::bytes<double>(kMaxLanes) +
                            Workspace::bytes<double>(one_step_.trajectory_rows(1) * kMaxLanes) +
                            one_step_.workspace_bytes(kMaxLanes, true);
  for (Workspace& workspace : workspaces_) workspace.reserve(bytes);
}

// The point itself, each variable forwards, then each backwards, then all pairs, both forwards and both backwards.
void RewardDifferences::find_moves() {
  const Index count = variables();
  const Index pairs = derivatives_ == Derivatives::kSecond ? count * (count - 1) : 0;
  if (points() == 1 + 2 * count + pairs) return;
  moves_.assign(1, {0, 0, 0.0});
  for (const double sign : {1.0, -1.0}) {
    for (Index i = 0; i < count; ++i) moves_.push_back({i, i, sign});
  }
  for (Index i = 0; i < count && pairs > 0; ++i) {
    for (Index j = i + 1; j < count; ++j) {
      for (const double sign : {1.0, -1.0}) moves_.push_back({i, j, sign});
    }
  }
}

// A share of the range of each variable: of the actions' bounds, or of the state.
void RewardDifferences::find_reaches(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) {
  for (Index i = 0; i < whole_.state_dim; ++i) {
    reaches_[static_cast<std::size_t>(i)] = kReach * range_of_state(problem, trajectory, i);
  }
  for (Index v = whole_.state_dim; v < variables(); ++v) {
    const Index j = (v - whole_.state_dim) % whole_.action_dim;
    const double range = 0.5 * problem.action_high[j] - 0.5 * problem.action_low[j];
    reaches_[static_cast<std::size_t>(v)] =
        kReach * (range > 0.0 ? range : std::max(1.0, std::abs(problem.action_low[j])));
  }
}

// Lane k of `variables` becomes point first + k: state, action, and the action one step earlier.
void RewardDifferences::lay_out(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index first,
                                const Block<double>& variables) const {
  for (Index k = 0; k < variables.lanes; ++k) {
    const Index point = std::min(first + k, trajectory.length * points() - 1);
    const Index step = point / points();
    const double* const state = trajectory.state(step, whole_.state_dim);
    const double* const action = trajectory.action(step, whole_.action_dim);
    const double* const before = step > 0 ? action - whole_.action_dim : problem.last_action;
    for (Index i = 0; i < whole_.state_dim; ++i) variables.row(i)[k] = state[i];
    for (Index j = 0; j < whole_.action_dim; ++j) {
      variables.row(whole_.state_dim + j)[k] = action[j];
      if (!whole_.has_previous_action) continue;
      variables.row(whole_.state_dim + whole_.action_dim + j)[k] = before != nullptr ? before[j] : action[j];
    }
    const Move& move = moves_[static_cast<std::size_t>(point % points())];
    variables.row(move.first)[k] += move.sign * reaches_[static_cast<std::size_t>(move.first)];
    if (move.second == move.first) continue;
    variables.row(move.second)[k] += move.sign * reaches_[static_cast<std::size_t>(move.second)];
  }
}

void RewardDifferences::run_block(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index first,
                                  Index count, Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  const Index lanes = padded_lanes<double>(count);
  const Block<double> variables = workspace.take_block<double>(this->variables(), lanes);
  lay_out(problem, trajectory, first, variables);
  BlockRollout<double> block;
  block.interrupt = problem.interrupt;
  block.initial_state = variables.rows(0, whole_.state_dim);
  block.actions = variables.rows(whole_.state_dim, whole_.action_dim);
  if (whole_.has_previous_action) {
    block.last_action = variables.rows(whole_.state_dim + whole_.action_dim, whole_.action_dim);
  }
  block.candidates = count;
  block.first_step = first / points();
  block.last_step = trajectory.horizon(whole_.action_dim);
  if (one_step_.reward != nullptr) {
    block.total = workspace.take<double>(lanes);
    rollout_block(one_step_, block, workspace);
    std::copy_n(block.total, count, rewards_.data() + first);
    return;
  }
  block.trajectory = workspace.take_block<double>(one_step_.trajectory_rows(1), lanes);
  rollout_block(one_step_, block, workspace);
  const Index size = 2 * whole_.state_dim;
  block_to_rows<double>(block.trajectory.rows(0, size), count, paths_.data() + first * size, size);
  block_to_rows<double>(block.actions, count, sequences_.data() + first * whole_.action_dim, whole_.action_dim);
}

void RewardDifferences::compute(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) {
  find_reaches(problem, trajectory);
  const Index count = trajectory.length * points();
  // A block's points are all of one step, which the reward may look at.
  const Index blocks_of_step = (points() + kMaxLanes - 1) / kMaxLanes;
  const Index blocks = trajectory.length * blocks_of_step;
  const auto run = [&](Index index, int thread) {
    const Index of_step = index % blocks_of_step * kMaxLanes;
    run_block(problem, trajectory, index / blocks_of_step * points() + of_step, std::min(kMaxLanes, points() - of_step),
              workspaces_[static_cast<std::size_t>(thread)]);
  };
  parallel_for(blocks, usable_threads(blocks, problem.threads), run, problem.interrupt);
  if (one_step_.reward == nullptr) {
    problem.score->reward(paths_.data(), sequences_.data(), count, rewards_.data());
  }
}

void RewardDifferences::expand(Index step, RewardExpansion<double>& out) const {
  const Index count = variables();
  const double* const rewards = rewards_.data() + step * points();
  const double middle = rewards[0];
  const double* const forward = rewards + 1;
  const double* const backward = forward + count;
  const double* pair = backward + count;
  const auto reach = [&](Index i) { return reaches_[static_cast<std::size_t>(i)]; };
  out.value = middle;
  for (Index i = 0; i < count; ++i) {
    out.gradient[i] = difference({forward[i], -backward[i]}) / (2.0 * reach(i));
    if (derivatives_ == Derivatives::kFirst) continue;
    out.second(i, i) = difference({forward[i], -middle, -middle, backward[i]}) / (reach(i) * reach(i));
    for (Index j = i + 1; j < count; ++j, pair += 2) {
      const double sum =
          difference({pair[0], -forward[i], -forward[j], middle, middle, -backward[i], -backward[j], pair[1]});
      out.second(i, j) = out.second(j, i) = sum / (2.0 * reach(i) * reach(j));
    }
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The problem's first state and last action in every lane of a block.
void spread(const double* values, Block<float> out) {
  for (Index i = 0; i < out.dim; ++i) std::fill_n(out.row(i), out.lanes, static_cast<float>(values[i]));
}

// Takes from `workspace` what every rollout of the problem starts from.
BlockRollout<float> start_of(const PlanProblem& problem, Index lanes, Workspace& workspace) {
  BlockRollout<float> block;
  const Block<float> state = workspace.take_block<float>(problem.rollout.dynamics->state_dim(), lanes);
  spread(problem.state, state);
  block.initial_state = state;
  if (problem.last_action != nullptr) {
    const Block<float> last_action = workspace.take_block<float>(problem.rollout.dynamics->action_dim(), lanes);
    spread(problem.last_action, last_action);
    block.last_action = last_action;
  }
  return block;
}

// A candidate's place in the ranking as one number: the larger its return the smaller the key, ties by its number.
std::uint64_t rank_key(float total, Index candidate) {
  std::uint32_t bits = 0;
  const float zero_is_positive = total + 0.0F;
  std::memcpy(&bits, &zero_is_positive, sizeof bits);
  // Flipped so that unsigned order is the order of the floats, then upside down.
  const std::uint32_t ascending = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
  return (static_cast<std::uint64_t>(~ascending) << 32) | static_cast<std::uint64_t>(candidate);
}

std::size_t block_bytes(const PlanProblem& problem, Index horizon, Index lanes) {
  const Index state_dim = problem.rollout.dynamics->state_dim();
  const Index action_dim = problem.rollout.dynamics->action_dim();
  return Workspace::bytes<float>(state_dim * lanes) + Workspace::bytes<float>(action_dim * lanes) +
         Workspace::bytes<float>(lanes) + Workspace::bytes<float>((horizon + 1) * state_dim * lanes) +
         problem.rollout.workspace_bytes(lanes, false);
}

}  // namespace

void Candidates::prepare(const PlanProblem& problem, Index count, Index horizon) {
  count_ = count;
  horizon_ = horizon;
  state_dim_ = problem.rollout.dynamics->state_dim();
  action_dim_ = problem.rollout.dynamics->action_dim();
  lanes_ = block_lanes<float>(count);
  const Index blocks = (count + lanes_ - 1) / lanes_;
  actions_.resize(tile_offset(blocks));
  totals_.resize(static_cast<std::size_t>(blocks * lanes_));
  ranking_.resize(static_cast<std::size_t>(count));
  workspaces_.resize(static_cast<std::size_t>(usable_threads(blocks, problem.threads)));
  for (Workspace& workspace : workspaces_) workspace.reserve(block_bytes(problem, horizon, lanes_));
  if (problem.score != nullptr) {
    trajectories_.resize(static_cast<std::size_t>(count * (horizon + 1) * state_dim_));
    sequences_.resize(static_cast<std::size_t>(count * horizon * action_dim_));
  }
}

Index Candidates::evaluate(const PlanProblem& problem, std::uint32_t iteration, const void* context,
                           CandidateFill fill) {
  const Index blocks = (count_ + lanes_ - 1) / lanes_;
  Stream stream = problem.stream;
  stream.iteration = iteration;
  const auto run = [&](Index index, int thread) {
    Workspace& workspace = workspaces_[static_cast<std::size_t>(thread)];
    const Workspace::Scope scope(workspace);
    const Index first = index * lanes_;
    const Index count = std::min(lanes_, count_ - first);
    fill(context, first, tile(index));
    BlockRollout<float> block = start_of(problem, lanes_, workspace);
    block.actions = tile(index);
    block.draw = {stream, first, 0, Propagation::kMean, 0, 1};
    if (problem.score == nullptr) {
      block.total = totals_.data() + first;
      rollout_block(problem.rollout, block, workspace);
      return;
    }
    block.trajectory = workspace.take_block<float>((horizon_ + 1) * state_dim_, lanes_);
    rollout_block(problem.rollout, block, workspace);
    block_to_rows<float>(block.trajectory, count, trajectories_.data() + first * block.trajectory.dim,
                         block.trajectory.dim);
    block_to_rows<float>(block.actions, count, sequences_.data() + first * block.actions.dim, block.actions.dim);
  };
  parallel_for(blocks, static_cast<int>(workspaces_.size()), run);
  if (problem.score != nullptr) {
    problem.score->score(trajectories_.data(), sequences_.data(), count_, horizon_, totals_.data());
  }

  Index non_finite = 0;
  for (Index n = 0; n < count_; ++n) {
    float& total = totals_[static_cast<std::size_t>(n)];
    if (!std::isfinite(total)) {
      total = -std::numeric_limits<float>::infinity();
      ++non_finite;
    }
  }
  return non_finite;
}

void Candidates::copy_actions(Index candidate, float* out) const {
  const float* from = actions_.data() + tile_offset(candidate / lanes_) + candidate % lanes_;
  for (Index row = 0; row < horizon_ * action_dim_; ++row) out[row] = from[row * lanes_];
}

const float* Candidates::select(Index elites) {
  for (Index n = 0; n < count_; ++n)
    ranking_[static_cast<std::size_t>(n)] = rank_key(totals_[static_cast<std::size_t>(n)], n);
  const auto end = ranking_.begin() + elites;
  std::nth_element(ranking_.begin(), end - 1, ranking_.end());
  const Index size = horizon_ * action_dim_;
  for (Index e = 0; e < elites; ++e) {
    ranking_[static_cast<std::size_t>(e)] &= 0xFFFFFFFFU;
  }
  std::sort(ranking_.begin(), end);
  elite_actions_.resize(static_cast<std::size_t>(size * elites));
  for (Index e = 0; e < elites; ++e) {
    copy_actions(static_cast<Index>(ranking_[static_cast<std::size_t>(e)]), elite_actions_.data() + e * size);
  }
  return elite_actions_.data();
}

Index Candidates::best() const { return std::max_element(totals_.begin(), totals_.begin() + count_) - totals_.begin(); }

void Candidates::evaluate_result(const PlanProblem& problem, PlanResult& result) {
  Workspace& workspace = workspaces_.front();
  const Workspace::Scope scope(workspace);
  constexpr Index kLanes = kVectorLanes<float>;
  const Block<float> actions{actions_.data(), horizon_ * action_dim_, kLanes, kLanes};
  for (Index row = 0; row < actions.dim; ++row) {
    std::fill_n(actions.row(row), kLanes, result.actions[static_cast<std::size_t>(row)]);
  }
  BlockRollout<float> block = start_of(problem, kLanes, workspace);
  block.actions = actions;
  block.draw.stream = problem.stream;
  block.trajectory = workspace.take_block<float>((horizon_ + 1) * state_dim_, kLanes);
  block.total = workspace.take<float>(kLanes);
  rollout_block(problem.rollout, block, workspace);
  block_to_rows<float>(block.trajectory, 1, result.states.data(), block.trajectory.dim);
  float total = block.total[0];
  if (problem.score != nullptr) {
    problem.score->score(result.states.data(), result.actions.data(), 1, horizon_, &total);
  }
  result.value = static_cast<double>(total);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/planners/action_limits.hpp"

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
  block.interrupt = problem.interrupt;
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
  const Index particles = problem.rollout.particles.count;
  return Workspace::bytes<float>(state_dim * lanes) + Workspace::bytes<float>(action_dim * lanes) +
         Workspace::bytes<float>(lanes) + 2 * Workspace::bytes<float>(particles * lanes) +
         Workspace::bytes<float>(particles * state_dim * lanes) +
         Workspace::bytes<float>(horizon * action_dim * lanes) +
         Workspace::bytes<float>(particles * problem.rollout.trajectory_rows(horizon) * lanes) +
         problem.rollout.workspace_bytes(lanes, false);
}

bool scores_at_once(const PlanProblem& problem) {
  return problem.score != nullptr || problem.terminal_value != nullptr;
}

// The mean of what the model predicts: one particle, wherever it goes.
RolloutProblem<float> mean_of(const RolloutProblem<float>& problem) {
  RolloutProblem<float> mean = problem;
  mean.particles = {};
  mean.disagreement_limit.reset();
  mean.allowed = nullptr;
  return mean;
}

}  // namespace

void Candidates::prepare(const PlanProblem& problem, Index count, Index horizon) {
  count_ = count;
  horizon_ = horizon;
  state_dim_ = problem.rollout.dynamics->state_dim();
  action_dim_ = problem.rollout.dynamics->action_dim();
  require_addressable("candidates, horizon", {std::max(count, kMaxLanes), problem.rollout.particles.count, horizon + 1,
                                              std::max(state_dim_, action_dim_)});
  lanes_ = block_lanes(*problem.rollout.dynamics, count);
  const Index blocks = (count + lanes_ - 1) / lanes_;
  actions_.resize(tile_offset(blocks));
  totals_.resize(static_cast<std::size_t>(blocks * lanes_));
  violations_.resize(problem.rollout.rejects() ? totals_.size() : 0);
  ranking_.resize(static_cast<std::size_t>(count));
  late_.resize(static_cast<std::size_t>(blocks));
  threads_ = usable_threads(blocks, problem.threads);
  // Never fewer than before: populations shrink and grow again.
  workspaces_.resize(std::max(workspaces_.size(), static_cast<std::size_t>(threads_)));
  for (Workspace& workspace : workspaces_) workspace.reserve(block_bytes(problem, horizon, lanes_));
  prepare_scores(problem, count);
}

void Candidates::prepare_scores(const PlanProblem& problem, Index count) {
  const Index rows = count * problem.rollout.particles.count;
  if (problem.score != nullptr) {
    trajectories_.resize(static_cast<std::size_t>(rows * (horizon_ + 1) * state_dim_));
    sequences_.resize(static_cast<std::size_t>(rows * horizon_ * action_dim_));
    steps_within_limit_.resize(static_cast<std::size_t>(problem.rollout.disagreement_limit ? rows : 0));
    particle_violations_.resize(static_cast<std::size_t>(problem.rollout.rejects() ? rows : 0));
  } else if (problem.terminal_value != nullptr) {
    end_states_.resize(static_cast<std::size_t>(rows * state_dim_));
    end_weights_.resize(static_cast<std::size_t>(rows));
    end_values_.resize(static_cast<std::size_t>(rows));
  } else {
    return;
  }
  particle_totals_.resize(static_cast<std::size_t>(rows));
}

bool Candidates::in_time(const PlanProblem& problem) const {
  if (!problem.deadline) return true;
  const Clock::duration slowest = slowest_.load(std::memory_order_relaxed);
  // Twice: for the block itself and for the result, which is a block of one candidate.
  return slowest == Clock::duration::zero() || Clock::now() + 2 * slowest <= *problem.deadline;
}

void Candidates::took(Clock::time_point begin) {
  const Clock::duration duration = Clock::now() - begin;
  Clock::duration slowest = slowest_.load(std::memory_order_relaxed);
  while (slowest < duration && !slowest_.compare_exchange_weak(slowest, duration, std::memory_order_relaxed)) {
  }
}

Evaluated Candidates::evaluate(const PlanProblem& problem, std::uint32_t iteration, const void* context,
                               CandidateFill fill) {
  const Index blocks = (count_ + lanes_ - 1) / lanes_;
  Stream stream = problem.stream;
  stream.iteration = iteration;
  std::fill(late_.begin(), late_.end(), char{0});
  parallel_for(blocks, threads_, [&](Index index, int thread) {
    if (!in_time(problem)) {
      late_[static_cast<std::size_t>(index)] = 1;
      return;
    }
    const Clock::time_point begin = problem.deadline ? Clock::now() : Clock::time_point();
    Workspace& workspace = workspaces_[static_cast<std::size_t>(thread)];
    const Index first = index * lanes_;
    {
      const Workspace::Scope scope(workspace);
      fill(context, first, tile(index), workspace);
      limit_changes(problem, tile(index));
    }
    roll_block(problem, stream, tile(index), first, std::min(lanes_, count_ - first), workspace);
    if (problem.deadline) took(begin);
  });
  if (scores_at_once(problem)) {
    const Clock::time_point begin = Clock::now();
    score_kept(problem, count_);
    took(begin);
  }
  return rank_last();
}

// Scores one block of candidates; where all are scored at once it only keeps what that needs.
void Candidates::roll_block(const PlanProblem& problem, const Stream& stream, Block<float> actions, Index first,
                            Index count, Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  BlockRollout<float> block = start_of(problem, actions.lanes, workspace);
  block.actions = actions;
  block.stream = stream;
  block.first_candidate = first;
  block.candidates = count;
  if (!violations_.empty()) block.violation = violations_.data() + first;
  const Index particles = problem.rollout.particles.count;
  if (problem.score != nullptr) {
    block.trajectory =
        workspace.take_block<float>(particles * problem.rollout.trajectory_rows(horizon_), actions.lanes);
    if (problem.rollout.disagreement_limit)
      block.steps_within_limit = workspace.take_block<float>(particles, actions.lanes);
    rollout_block(problem.rollout, block, workspace);
    keep_trajectories(problem, block, first, count);
  } else if (problem.terminal_value != nullptr) {
    block.end = {workspace.take_block<float>(particles * state_dim_, actions.lanes),
                 workspace.take_block<float>(particles, actions.lanes),
                 workspace.take_block<float>(particles, actions.lanes)};
    rollout_block(problem.rollout, block, workspace);
    keep_end(problem, block, first, count);
  } else {
    block.total = totals_.data() + first;
    rollout_block(problem.rollout, block, workspace);
  }
}

void Candidates::keep_trajectories(const PlanProblem& problem, const BlockRollout<float>& block, Index first,
                                   Index count) {
  const Index particles = problem.rollout.particles.count;
  const Index rows = problem.rollout.trajectory_rows(horizon_);
  const Index size = (horizon_ + 1) * state_dim_;
  for (Index p = 0; p < particles; ++p) {
    block_to_rows<float>(block.trajectory.rows(p * rows, size), count,
                         trajectories_.data() + (first * particles + p) * size, particles * size);
    block_to_rows<float>(block.actions, count, sequences_.data() + (first * particles + p) * block.actions.dim,
                         particles * block.actions.dim);
  }
  if (problem.rollout.disagreement_limit) {
    block_to_rows<float>(block.steps_within_limit, count, steps_within_limit_.data() + first * particles, particles);
  }
}

void Candidates::keep_end(const PlanProblem& problem, const BlockRollout<float>& block, Index first, Index count) {
  const Index particles = problem.rollout.particles.count;
  const Index size = particles * state_dim_;
  block_to_rows<float>(block.end.states, count, end_states_.data() + first * size, size);
  block_to_rows<float>(block.end.weights, count, end_weights_.data() + first * particles, particles);
  block_to_rows<float>(block.end.totals, count, particle_totals_.data() + first * particles, particles);
}

void Candidates::score_kept(const PlanProblem& problem, Index count) {
  const Index particles = problem.rollout.particles.count;
  if (problem.score != nullptr) {
    problem.score->score(trajectories_.data(), sequences_.data(),
                         steps_within_limit_.empty() ? nullptr : steps_within_limit_.data(), count * particles,
                         horizon_, particle_totals_.data(),
                         particle_violations_.empty() ? nullptr : particle_violations_.data());
    for (Index n = 0; !violations_.empty() && n < count; ++n) {
      const float* const of_particles = particle_violations_.data() + n * particles;
      violations_[static_cast<std::size_t>(n)] =
          std::accumulate(of_particles, of_particles + particles, 0.0F) / static_cast<float>(particles);
    }
  } else {
    problem.terminal_value->value(end_states_.data(), count * particles, end_values_.data());
    for (std::size_t n = 0; n < static_cast<std::size_t>(count * particles); ++n) {
      // A choice, not a product: what follows the end of an episode counts for nothing, also where it is nan.
      if (end_weights_[n] != 0.0F) particle_totals_[n] += end_weights_[n] * end_values_[n];
    }
  }
  for (Index n = 0; n < count; ++n) {
    totals_[static_cast<std::size_t>(n)] = reduce(problem.rollout.particles.risk, problem.rollout.dynamics->members(),
                                                  particle_totals_.data() + n * particles, particles);
  }
}

Evaluated Candidates::rank_last() {
  constexpr float kLast = -std::numeric_limits<float>::infinity();
  Evaluated last;
  last.count = count_;
  for (Index n = 0; n < count_; ++n) {
    float& total = totals_[static_cast<std::size_t>(n)];
    const bool late = late_[static_cast<std::size_t>(n / lanes_)] != 0;
    if (std::isfinite(total) && !late) continue;
    if (late) {
      ++last.late;
    } else {
      ++(is_rejected(n) ? last.rejected : last.non_finite);
    }
    total = kLast;
  }
  if (last.allowed() == 0 && last.rejected > 0) rank_by_violation();
  return last;
}

void Candidates::rank_by_violation() {
  for (Index n = 0; n < count_; ++n) {
    const bool late = late_[static_cast<std::size_t>(n / lanes_)] != 0;
    if (!late && is_rejected(n)) totals_[static_cast<std::size_t>(n)] = -violations_[static_cast<std::size_t>(n)];
  }
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
  selected_ = elites;
  elite_actions_.resize(static_cast<std::size_t>(size * elites));
  for (Index e = 0; e < elites; ++e) {
    copy_actions(static_cast<Index>(ranking_[static_cast<std::size_t>(e)]), elite_actions_.data() + e * size);
  }
  return elite_actions_.data();
}

void Candidates::copy_best(Index count, float* out) {
  const auto better = [&](std::uint64_t a, std::uint64_t b) {
    const auto total = [&](std::uint64_t n) { return totals_[static_cast<std::size_t>(n)]; };
    return total(a) != total(b) ? total(a) > total(b) : a < b;
  };
  const auto end = ranking_.begin() + static_cast<std::ptrdiff_t>(selected_);
  std::partial_sort(ranking_.begin(), ranking_.begin() + count, end, better);
  for (Index e = 0; e < count; ++e) {
    copy_actions(static_cast<Index>(ranking_[static_cast<std::size_t>(e)]), out + e * horizon_ * action_dim_);
  }
}

void Candidates::average(const float* weights, const Interrupt* interrupt, float* out) const {
  for (Index row = 0; row < horizon_ * action_dim_; ++row) {
    if (interrupt != nullptr && interrupt->requested()) return;
    double sum = 0.0;
    for (Index first = 0; first < count_; first += lanes_) {
      const float* const actions = actions_.data() + tile_offset(first / lanes_) + row * lanes_;
      float part = 0.0F;
      for (Index k = 0; k < std::min(lanes_, count_ - first); ++k) part += weights[first + k] * actions[k];
      sum += static_cast<double>(part);
    }
    out[row] = static_cast<float>(sum);
  }
}

void Candidates::subtract_linear(const float* price, float offset, float* values) const {
  for (Index first = 0; first < count_; first += lanes_) {
    const float* const actions = actions_.data() + tile_offset(first / lanes_);
    for (Index k = 0; k < std::min(lanes_, count_ - first); ++k) {
      float sum = offset;
      for (Index row = 0; row < horizon_ * action_dim_; ++row) sum += price[row] * actions[row * lanes_ + k];
      values[first + k] -= sum;
    }
  }
}

Index Candidates::best() const { return std::max_element(totals_.begin(), totals_.begin() + count_) - totals_.begin(); }

// The sequence in every lane of the first tile, which is one vector wide.
Block<float> Candidates::spread_sequence(const std::vector<float>& sequence) {
  constexpr Index kLanes = kVectorLanes<float>;
  const Block<float> actions{actions_.data(), horizon_ * action_dim_, kLanes, kLanes};
  for (Index row = 0; row < actions.dim; ++row) {
    std::fill_n(actions.row(row), kLanes, sequence[static_cast<std::size_t>(row)]);
  }
  return actions;
}

double Candidates::value_of(const PlanProblem& problem, std::uint32_t iteration, const std::vector<float>& sequence) {
  Stream stream = problem.stream;
  stream.iteration = iteration;
  roll_block(problem, stream, spread_sequence(sequence), 0, 1, workspaces_.front());
  if (scores_at_once(problem)) score_kept(problem, 1);
  return static_cast<double>(totals_.front());
}

void Candidates::evaluate_result(const PlanProblem& problem, std::uint32_t iteration, PlanResult& result) {
  const bool is_drawn = problem.rollout.particles.propagation != Propagation::kMean;
  const bool value_is_of_mean = !is_drawn && !problem.rollout.disagreement_limit &&
                                problem.rollout.allowed == nullptr && problem.terminal_value == nullptr;
  if (!value_is_of_mean) result.value = value_of(problem, iteration, result.actions);
  const RolloutProblem<float> mean = mean_of(problem.rollout);
  Workspace& workspace = workspaces_.front();
  const Workspace::Scope scope(workspace);
  const Block<float> actions = spread_sequence(result.actions);
  BlockRollout<float> block = start_of(problem, actions.lanes, workspace);
  block.actions = actions;
  block.candidates = 1;
  block.trajectory = workspace.take_block<float>(mean.trajectory_rows(horizon_), actions.lanes);
  block.total = workspace.take<float>(actions.lanes);
  rollout_block(mean, block, workspace);
  const Index size = (horizon_ + 1) * state_dim_;
  block_to_rows<float>(block.trajectory.rows(0, size), 1, result.states.data(), size);
  if (!value_is_of_mean) return;
  float total = block.total[0];
  if (problem.score != nullptr) {
    problem.score->score(result.states.data(), result.actions.data(), nullptr, 1, horizon_, &total, nullptr);
  }
  result.value = static_cast<double>(total);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

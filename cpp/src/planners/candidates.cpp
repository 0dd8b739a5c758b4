#include "dynaplan/planners/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/planners/action_limits.hpp"
#include "dynaplan/planners/limit_rounding.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Lanes of a result's block: its own and those that measure rounding.
template <class T>
constexpr Index kResultLanes = padded_lanes<T>(1 + kNudgedLanes);

// The problem's first state and last action in every lane of a block.
template <class T>
void spread(const double* values, Block<T> out) {
  for (Index i = 0; i < out.dim; ++i) std::fill_n(out.row(i), out.lanes, static_cast<T>(values[i]));
}

// What every rollout of the problem starts from, `state` being the room for its first states.
template <class T>
BlockRollout<T> start_of(const PlanProblemOf<T>& problem, Block<T> state, Workspace& workspace) {
  BlockRollout<T> block;
  block.interrupt = problem.interrupt;
  spread(problem.state, state);
  block.initial_state = state;
  if (problem.last_action != nullptr) {
    const Block<T> last_action = workspace.take_block<T>(problem.rollout.dynamics->action_dim(), state.lanes);
    spread(problem.last_action, last_action);
    block.last_action = last_action;
  }
  return block;
}

template <class T>
std::size_t block_bytes(const PlanProblemOf<T>& problem, Index horizon, Index lanes) {
  const Index state_dim = problem.rollout.dynamics->state_dim();
  const Index action_dim = problem.rollout.dynamics->action_dim();
  const Index particles = problem.rollout.particles.count;
  return Workspace::bytes<T>(state_dim * lanes) + Workspace::bytes<T>(action_dim * lanes) + Workspace::bytes<T>(lanes) +
         2 * Workspace::bytes<T>(particles * lanes) + Workspace::bytes<T>(particles * state_dim * lanes) +
         Workspace::bytes<T>(horizon * action_dim * lanes) +
         Workspace::bytes<T>(particles * problem.rollout.trajectory_rows(horizon) * lanes) +
         problem.rollout.workspace_bytes(lanes, false);
}

template <class T>
bool scores_at_once(const PlanProblemOf<T>& problem) {
  return problem.score != nullptr || problem.terminal_value != nullptr;
}

// The mean of what the model predicts: one particle, wherever it goes.
template <class T>
RolloutProblem<T> mean_of(const RolloutProblem<T>& problem) {
  RolloutProblem<T> mean = problem;
  mean.particles = {};
  mean.disagreement_limit.reset();
  mean.allowed = nullptr;
  mean.constraints.clear();
  return mean;
}

// Seconds that a call of the model takes with so many candidates.
template <class T>
double time_of_call(const PlanProblemOf<T>& problem, Index candidates) {
  const Dynamics<T>& dynamics = *problem.rollout.dynamics;
  const Index lanes = padded_lanes<T>(candidates);
  Workspace workspace;
  workspace.reserve(Workspace::bytes<T>(dynamics.state_dim() * lanes) +
                    Workspace::bytes<T>(dynamics.action_dim() * lanes) +
                    Workspace::bytes<T>(dynamics.output_dim() * lanes) + dynamics.workspace_bytes(lanes));
  const Block<T> state = workspace.take_block<T>(dynamics.state_dim(), lanes);
  const Block<T> action = workspace.take_block<T>(dynamics.action_dim(), lanes);
  spread(problem.state, state);
  for (Index i = 0; i < action.dim; ++i) std::fill_n(action.row(i), lanes, static_cast<T>(problem.start_action(i)));
  Draw draw;
  draw.candidates = candidates;
  const Clock::time_point begin = Clock::now();
  dynamics.step(state, action, draw, workspace, workspace.take_block<T>(dynamics.output_dim(), lanes));
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// With which a block takes a quarter of the time that is left, going by a call for one candidate and one for many.
template <class T>
Index lanes_in_time(const PlanProblemOf<T>& problem, Clock::time_point deadline, Index horizon) {
  const double of_call = time_of_call(problem, 1);
  const double of_lanes = std::max(time_of_call(problem, kMaxLanes) - of_call, 1e-9);
  const double left = std::chrono::duration<double>(deadline - Clock::now()).count();
  const auto calls = static_cast<double>(4 * horizon * problem.rollout.particles.count);
  const double lanes = (left / calls - of_call) / of_lanes * static_cast<double>(kMaxLanes);
  const auto whole = static_cast<Index>(std::clamp(lanes, 1.0, 1e9));
  return std::max(whole / kVectorLanes<T>, Index{1}) * kVectorLanes<T>;
}

}  // namespace

template <class T>
void Candidates<T>::begin_plan(const PlanProblemOf<T>& problem, Index horizon) {
  slowest_ = Clock::duration::zero();
  const bool is_wide = problem.rollout.dynamics->max_lanes() > kMaxLanes;
  max_lanes_ = problem.deadline && is_wide ? lanes_in_time(problem, *problem.deadline, horizon)
                                           : std::numeric_limits<Index>::max();
}

template <class T>
void Candidates<T>::prepare(const PlanProblemOf<T>& problem, Index count, Index horizon) {
  count_ = count;
  horizon_ = horizon;
  state_dim_ = problem.rollout.dynamics->state_dim();
  action_dim_ = problem.rollout.dynamics->action_dim();
  require_addressable("candidates, horizon", {std::max(count, kMaxLanes), problem.rollout.particles.count, horizon + 1,
                                              std::max(state_dim_, action_dim_)});
  lanes_ = std::min(block_lanes(*problem.rollout.dynamics, count), max_lanes_);
  const Index blocks = (count + lanes_ - 1) / lanes_;
  actions_.resize(std::max(tile_offset(blocks), static_cast<std::size_t>(horizon * action_dim_ * kResultLanes<T>)));
  // The result is scored like a block.
  totals_.resize(static_cast<std::size_t>(std::max(blocks * lanes_, kResultLanes<T>)));
  violations_.resize(problem.rollout.rejects() ? totals_.size() : 0);
  ranking_.resize(static_cast<std::size_t>(count));
  late_.resize(static_cast<std::size_t>(blocks));
  threads_ = usable_threads(blocks, problem.threads);
  // Never fewer than before: populations shrink and grow again.
  workspaces_.resize(std::max(workspaces_.size(), static_cast<std::size_t>(threads_)));
  for (Workspace& workspace : workspaces_)
    workspace.reserve(block_bytes(problem, horizon, std::max(lanes_, kResultLanes<T>)));
  prepare_scores(problem, count);
}

template <class T>
void Candidates<T>::prepare_scores(const PlanProblemOf<T>& problem, Index count) {
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

template <class T>
bool Candidates<T>::in_time(const PlanProblemOf<T>& problem) const {
  if (!problem.deadline) return true;
  const Clock::duration slowest = slowest_.load(std::memory_order_relaxed);
  // Twice: for the block itself and for the result, which is a block of one candidate.
  return slowest == Clock::duration::zero() || Clock::now() + 2 * slowest <= *problem.deadline;
}

template <class T>
void Candidates<T>::took(Clock::time_point begin) {
  const Clock::duration duration = Clock::now() - begin;
  Clock::duration slowest = slowest_.load(std::memory_order_relaxed);
  while (slowest < duration && !slowest_.compare_exchange_weak(slowest, duration, std::memory_order_relaxed)) {
  }
}

template <class T>
Evaluated Candidates<T>::evaluate(const PlanProblemOf<T>& problem, std::uint32_t iteration, const void* context,
                                  CandidateFill<T> fill) {
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
  const Evaluated evaluated = rank_last();
  if (iteration == 0 && problem.exact != nullptr) {
    measure_spread(problem, evaluated.allowed() > 0 ? count_ : 0);
  }
  return evaluated;
}

// Scores one block of candidates; where all are scored at once it only keeps what that needs.
template <class T>
void Candidates<T>::roll_block(const PlanProblemOf<T>& problem, const Stream& stream, Block<T> actions, Index first,
                               Index count, Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  BlockRollout<T> block = start_of(problem, workspace.take_block<T>(state_dim_, actions.lanes), workspace);
  block.actions = actions;
  block.stream = stream;
  block.first_candidate = first;
  block.candidates = count;
  if (!violations_.empty()) block.violation = violations_.data() + first;
  const Index particles = problem.rollout.particles.count;
  if (problem.score != nullptr) {
    block.trajectory = workspace.take_block<T>(particles * problem.rollout.trajectory_rows(horizon_), actions.lanes);
    if (problem.rollout.disagreement_limit)
      block.steps_within_limit = workspace.take_block<T>(particles, actions.lanes);
    rollout_block(problem.rollout, block, workspace);
    keep_trajectories(problem, block, first, count);
  } else if (problem.terminal_value != nullptr) {
    block.end = {workspace.take_block<T>(particles * state_dim_, actions.lanes),
                 workspace.take_block<T>(particles, actions.lanes), workspace.take_block<T>(particles, actions.lanes)};
    rollout_block(problem.rollout, block, workspace);
    keep_end(problem, block, first, count);
  } else {
    block.total = totals_.data() + first;
    rollout_block(problem.rollout, block, workspace);
  }
}

template <class T>
void Candidates<T>::keep_trajectories(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index first,
                                      Index count) {
  const Index particles = problem.rollout.particles.count;
  const Index rows = problem.rollout.trajectory_rows(horizon_);
  const Index size = (horizon_ + 1) * state_dim_;
  for (Index p = 0; p < particles; ++p) {
    block_to_rows<T>(block.trajectory.rows(p * rows, size), count,
                     trajectories_.data() + (first * particles + p) * size, particles * size);
    block_to_rows<T>(block.actions, count, sequences_.data() + (first * particles + p) * block.actions.dim,
                     particles * block.actions.dim);
  }
  if (problem.rollout.disagreement_limit) {
    block_to_rows<T>(block.steps_within_limit, count, steps_within_limit_.data() + first * particles, particles);
  }
}

template <class T>
void Candidates<T>::keep_end(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index first, Index count) {
  const Index particles = problem.rollout.particles.count;
  const Index size = particles * state_dim_;
  block_to_rows<T>(block.end.states, count, end_states_.data() + first * size, size);
  block_to_rows<T>(block.end.weights, count, end_weights_.data() + first * particles, particles);
  block_to_rows<T>(block.end.totals, count, particle_totals_.data() + first * particles, particles);
}

template <class T>
void Candidates<T>::score_kept(const PlanProblemOf<T>& problem, Index count) {
  const Index particles = problem.rollout.particles.count;
  if (problem.score != nullptr) {
    problem.score->score(trajectories_.data(), sequences_.data(),
                         steps_within_limit_.empty() ? nullptr : steps_within_limit_.data(), count * particles,
                         horizon_, particle_totals_.data(),
                         particle_violations_.empty() ? nullptr : particle_violations_.data());
    for (Index n = 0; !violations_.empty() && n < count; ++n) {
      const T* const of_particles = particle_violations_.data() + n * particles;
      violations_[static_cast<std::size_t>(n)] =
          std::accumulate(of_particles, of_particles + particles, T(0)) / static_cast<T>(particles);
    }
  } else {
    problem.terminal_value->value(end_states_.data(), count * particles, end_values_.data());
    for (std::size_t n = 0; n < static_cast<std::size_t>(count * particles); ++n) {
      // A choice, not a product: what follows the end of an episode counts for nothing, also where it is nan.
      if (end_weights_[n] != T(0)) particle_totals_[n] += end_weights_[n] * end_values_[n];
    }
  }
  for (Index n = 0; n < count; ++n) {
    totals_[static_cast<std::size_t>(n)] = reduce(problem.rollout.particles.risk, problem.rollout.dynamics->members(),
                                                  particle_totals_.data() + n * particles, particles);
  }
}

// The sequence in every lane of the first tile, which is one vector wide, or two.
template <class T>
Block<T> Candidates<T>::spread_sequence(const std::vector<T>& sequence) {
  const Block<T> actions{actions_.data(), horizon_ * action_dim_, kResultLanes<T>, kResultLanes<T>};
  for (Index row = 0; row < actions.dim; ++row) {
    std::fill_n(actions.row(row), actions.lanes, sequence[static_cast<std::size_t>(row)]);
  }
  return actions;
}

template <class T>
double Candidates<T>::value_of(const PlanProblemOf<T>& problem, std::uint32_t iteration,
                               const std::vector<T>& sequence) {
  Stream stream = problem.stream;
  stream.iteration = iteration;
  roll_block(problem, stream, spread_sequence(sequence), 0, 1, workspaces_.front());
  if (scores_at_once(problem)) score_kept(problem, 1);
  return static_cast<double>(totals_.front());
}

template <class T>
void Candidates<T>::measure_spread(const PlanProblemOf<T>& problem, Index count) {
  const Index particles = problem.rollout.particles.count;
  if (problem.score != nullptr) {
    const Index trajectory = (horizon_ + 1) * state_dim_;
    spread_.measure(totals_.data(), trajectories_.data() + trajectory - state_dim_, particles * trajectory, state_dim_,
                    count);
  } else {
    const T* const ends = problem.terminal_value != nullptr ? end_states_.data() : nullptr;
    spread_.measure(totals_.data(), ends, particles * state_dim_, state_dim_, count);
  }
}

// The return of one lane of a block of the mean. A function outside is asked about one candidate, as users know it.
template <class T>
T Candidates<T>::return_of(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index lane) {
  T total = T(0);
  const auto of_lane = [&](ConstBlock<T> all, Index rows, T* out) {
    for (Index i = 0; i < rows; ++i) out[i] = all.row(i)[lane];
  };
  if (problem.score != nullptr) {
    of_lane(block.trajectory, (horizon_ + 1) * state_dim_, trajectories_.data());
    of_lane(block.actions, horizon_ * action_dim_, sequences_.data());
    problem.score->score(trajectories_.data(), sequences_.data(), nullptr, 1, horizon_, &total, nullptr);
  } else if (problem.terminal_value != nullptr) {
    of_lane(block.end.states, state_dim_, end_states_.data());
    problem.terminal_value->value(end_states_.data(), 1, &total);
    const T weight = block.end.weights.data[lane];
    total = block.end.totals.data[lane] + (weight != T(0) ? weight * total : T(0));
  } else {
    total = block.total[lane];
  }
  return total;
}

template <class T>
void Candidates<T>::evaluate_result(const PlanProblemOf<T>& problem, std::uint32_t iteration, PlanResult<T>& result) {
  const bool is_drawn = problem.rollout.particles.propagation != Propagation::kMean;
  const bool value_is_of_mean = !is_drawn && !problem.rollout.disagreement_limit && !problem.rollout.limits_steps();
  if (!value_is_of_mean) result.value = value_of(problem, iteration, result.actions);
  // Once a plan, of what has a finite return.
  const bool measures = problem.exact != nullptr && !(result.rounding && std::isfinite(result.rounding->share));
  const RolloutProblem<T> mean = mean_of(problem.rollout);
  Workspace& workspace = workspaces_.front();
  const Workspace::Scope scope(workspace);
  const Block<T> actions = spread_sequence(result.actions);
  const Block<T> state = workspace.take_block<T>(state_dim_, actions.lanes);
  BlockRollout<T> block = start_of(problem, state, workspace);
  if (measures) {
    nudge(actions);
    nudge(state);
  }
  block.actions = actions;
  block.candidates = 1 + (measures ? kNudgedLanes : 0);
  block.trajectory = workspace.take_block<T>(mean.trajectory_rows(horizon_), actions.lanes);
  if (problem.terminal_value != nullptr) {
    block.end = {workspace.take_block<T>(state_dim_, actions.lanes), workspace.take_block<T>(1, actions.lanes),
                 workspace.take_block<T>(1, actions.lanes)};
  } else {
    block.total = workspace.take<T>(actions.lanes);
  }
  rollout_block(mean, block, workspace);
  const Index size = (horizon_ + 1) * state_dim_;
  block_to_rows<T>(block.trajectory.rows(0, size), 1, result.states.data(), size);
  if (!value_is_of_mean && !measures) return;
  T returns[1 + kNudgedLanes];
  std::fill_n(returns, 1 + kNudgedLanes, return_of(problem, block, 0));
  if (value_is_of_mean) result.value = static_cast<double>(returns[0]);
  if (!measures) return;
  const ConstBlock<T> ends = block.trajectory.rows(size - state_dim_, state_dim_);
  if (!scores_at_once(problem) || !is_rounding_unseen(problem, spread_, ends)) {
    for (Index k = 1; k <= kNudgedLanes; ++k) returns[k] = return_of(problem, block, k);
  }
  result.rounding = rounding_of(spread_, returns);
  const double of_limits = problem.rollout.limits_steps() ? rounding_of_limits(problem, block, workspace) : 0.0;
  // Where it is too much it settles the matter, whatever the returns leave open.
  if (of_limits > kMaxRounding) result.rounding->share = of_limits;
}

template class Candidates<float>;
template class Candidates<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/planners/action_limits.hpp"
#include "dynaplan/planners/limit_rounding.hpp"
#include "dynaplan/planners/score_time.hpp"

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

// With which a block takes a quarter of the time that is left, going by a call for one candidate and one for more.
template <class T>
Index lanes_in_time(const PlanProblemOf<T>& problem, Index horizon) {
  const CallTime time =
      measured(problem.seconds_left(), kMaxLanes, [&](Index candidates) { return time_of_call(problem, candidates); });
  const auto calls = static_cast<double>(4 * horizon * problem.rollout.particles.count);
  const Index lanes = time.rows_in(problem.seconds_left() / calls);
  return std::max(lanes / kVectorLanes<T>, Index{1}) * kVectorLanes<T>;
}

// Where nothing beside a particle's return is kept of it, nor asked of the others; not of a function from outside, of
// which only one call runs at a time.
template <class T>
bool pays_to_share(const PlanProblemOf<T>& problem, Index blocks) {
  constexpr Index kManyBlocks = 8;  // for each thread: the last one to end is waited for a sixteenth of the time
  const RolloutProblem<T>& rollout = problem.rollout;
  return problem.threads > 1 && rollout.particles.count > 1 && blocks < kManyBlocks * problem.threads &&
         rollout.dynamics->max_lanes() <= kMaxLanes && rollout.has_independent_particles() && !rollout.rejects() &&
         !problem.scores_at_once();
}

}  // namespace

template <class T>
void Candidates<T>::begin_plan(const PlanProblemOf<T>& problem, Index horizon) {
  slowest_ = Clock::duration::zero();
  const bool is_wide = problem.rollout.dynamics->max_lanes() > kMaxLanes;
  max_lanes_ = problem.deadline && is_wide ? lanes_in_time(problem, horizon) : std::numeric_limits<Index>::max();
  has_scored_ = false;
  score_time_ = problem.score_time;
  if (problem.deadline && problem.scores_at_once() && !score_time_.is_known()) {
    score_time_ = measure_score_time(problem, horizon);
  }
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
  actions_.resize(std::max(tile_offset(blocks()), static_cast<std::size_t>(horizon * action_dim_ * kResultLanes<T>)));
  // The result is scored like a block.
  totals_.resize(static_cast<std::size_t>(std::max(blocks() * lanes_, kResultLanes<T>)));
  violations_.resize(problem.rollout.rejects() ? totals_.size() : 0);
  ranking_.resize(static_cast<std::size_t>(count));
  late_.resize(static_cast<std::size_t>(blocks()));
  const Index particles = problem.rollout.particles.count;
  parts_ = pays_to_share(problem, blocks()) ? particles : 1;
  threads_ = usable_threads(blocks() * parts_, problem.threads);
  particle_returns_.resize(parts_ > 1 ? totals_.size() * static_cast<std::size_t>(particles) : 0);
  returns_.resize(static_cast<std::size_t>(particles));
  // Never fewer than before: populations shrink and grow again.
  workspaces_.resize(std::max(workspaces_.size(), static_cast<std::size_t>(threads_)));
  for (Workspace& workspace : workspaces_)
    workspace.reserve(block_bytes(problem, horizon, std::max(lanes_, kResultLanes<T>)));
  prepare_scores(problem, count);
}

template <class T>
bool Candidates<T>::in_time(const PlanProblemOf<T>& problem, Index scored) const {
  if (!problem.deadline) return true;
  const Clock::duration slowest = slowest_.load(std::memory_order_relaxed);
  if (slowest == Clock::duration::zero()) return true;
  // For the block, or a part of it, and for the result, which is a block of one candidate.
  if (Clock::now() + slowest / parts_ + slowest > *problem.deadline) return false;
  const double of_blocks = 2.0 * std::chrono::duration<double>(slowest).count();
  if (!problem.scores_at_once()) return true;
  return score_time_.of(score_time_.knows_rows() ? scored : 1) + of_blocks <= seconds_to_score(problem);
}

template <class T>
template <class Run>
void Candidates<T>::run_timed(const PlanProblemOf<T>& problem, const Run& run) {
  const Clock::time_point begin = problem.deadline ? Clock::now() : Clock::time_point();
  run();
  if (problem.deadline) took(begin);
}

template <class T>
void Candidates<T>::took(Clock::time_point begin) {
  const Clock::duration duration = parts_ * (Clock::now() - begin);
  Clock::duration slowest = slowest_.load(std::memory_order_relaxed);
  while (slowest < duration && !slowest_.compare_exchange_weak(slowest, duration, std::memory_order_relaxed)) {
  }
}

template <class T>
Evaluated Candidates<T>::evaluate(const PlanProblemOf<T>& problem, std::uint32_t iteration, const void* context,
                                  CandidateFill<T> fill) {
  Stream stream = problem.stream;
  stream.iteration = iteration;
  std::fill(late_.begin(), late_.end(), char{0});
  scored_ = count_;
  if (parts_ > 1) {
    share_particles(problem, stream, context, fill);
  } else {
    parallel_for(blocks(), threads_, [&](Index index, int thread) {
      if (!in_time(problem, index * lanes_ + candidates_of(index))) {
        late_[static_cast<std::size_t>(index)] = 1;
        return;
      }
      Workspace& workspace = workspaces_[static_cast<std::size_t>(thread)];
      run_timed(problem, [&] {
        fill_tile(problem, index, context, fill, workspace);
        roll_block(problem, stream, tile(index), index * lanes_, candidates_of(index), workspace);
      });
    });
  }
  if (problem.scores_at_once() && problem.deadline) {
    score_in_time(problem);
  } else if (problem.scores_at_once()) {
    score_kept(problem, 0, count_);
  }
  const Evaluated evaluated = rank_last();
  if (iteration == 0 && problem.exact != nullptr) {
    measure_spread(problem, evaluated.allowed() > 0 ? scored_ : 0);
  }
  return evaluated;
}

template <class T>
void Candidates<T>::fill_tile(const PlanProblemOf<T>& problem, Index index, const void* context, CandidateFill<T> fill,
                              Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  fill(context, index * lanes_, tile(index), workspace);
  limit_changes(problem, tile(index));
}

// As many blocks as threads, or few more, leave some of these waiting for the last; so each particle of a block is work
// of its own. The returns are the same to the last bit.
template <class T>
void Candidates<T>::share_particles(const PlanProblemOf<T>& problem, const Stream& stream, const void* context,
                                    CandidateFill<T> fill) {
  const Particles& particles = problem.rollout.particles;
  parallel_for(blocks(), threads_, [&](Index index, int thread) {
    if (in_time(problem, index * lanes_ + candidates_of(index))) {
      fill_tile(problem, index, context, fill, workspaces_[static_cast<std::size_t>(thread)]);
    } else {
      late_[static_cast<std::size_t>(index)] = 1;
    }
  });
  late_particles_.assign(static_cast<std::size_t>(blocks() * particles.count), 0);
  const bool is_first = slowest_.load(std::memory_order_relaxed) == Clock::duration::zero();
  parallel_for(blocks() * particles.count, threads_, [&](Index item, int thread) {
    const Index index = item / particles.count;
    if (late_[static_cast<std::size_t>(index)] != 0) return;
    // The first block of a plan is rolled out whole, so that there is always a candidate.
    const bool is_needed = is_first && index == 0;
    if (!is_needed && !in_time(problem, index * lanes_ + candidates_of(index))) {
      late_particles_[static_cast<std::size_t>(item)] = 1;
      return;
    }
    run_timed(problem, [&] {
      roll_block(problem, stream, tile(index), index * lanes_, candidates_of(index),
                 workspaces_[static_cast<std::size_t>(thread)], item % particles.count);
    });
  });
  for (std::size_t item = 0; item < late_particles_.size(); ++item) {
    if (late_particles_[item] != 0) late_[item / static_cast<std::size_t>(particles.count)] = 1;
  }
  const Index members = problem.rollout.dynamics->members();
  for (Index n = 0; n < count_; ++n) {
    if (is_late(n)) continue;
    for (Index p = 0; p < particles.count; ++p) returns_[static_cast<std::size_t>(p)] = returns_of(p)[n];
    totals_[static_cast<std::size_t>(n)] = reduce(particles.risk, members, returns_.data(), particles.count);
  }
}

// Scores one block of candidates, or one particle of each; where all are scored at once it only keeps what that needs.
template <class T>
void Candidates<T>::roll_block(const PlanProblemOf<T>& problem, const Stream& stream, Block<T> actions, Index first,
                               Index count, Workspace& workspace, Index particle) {
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
    block.particle = particle;
    block.total = (particle < 0 ? totals_.data() : returns_of(particle)) + first;
    rollout_block(problem.rollout, block, workspace);
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
  if (problem.scores_at_once()) score_kept(problem, 0, 1);
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

template <class T>
void Candidates<T>::evaluate_result(const PlanProblemOf<T>& problem, std::uint32_t iteration, PlanResult<T>& result) {
  const bool value_is_of_mean = problem.rollout.scores_the_mean();
  if (!value_is_of_mean) result.value = value_of(problem, iteration, result.actions);
  // Once a plan, of what has a finite return.
  const bool measures =
      problem.exact != nullptr && !(result.rounding && std::isfinite(result.rounding->share)) &&
      (!problem.deadline || !problem.scores_at_once() || score_time_.of(1 + kNudgedLanes) < problem.seconds_left());
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
  if (!problem.scores_at_once() || !is_rounding_unseen(problem, spread_, ends)) {
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

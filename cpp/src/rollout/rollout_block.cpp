#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/rollout/moment_matching.hpp"
#include "dynaplan/rollout/rollout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
void clip(const StateLimits<T>& limits, Block<T> state) {
  for (Index i = 0; i < state.dim; ++i) {
    const T low = limits.low[static_cast<std::size_t>(i)];
    const T high = limits.high[static_cast<std::size_t>(i)];
    T* value = state.row(i);
    // A nan passes both comparisons and stays: a diverged trajectory must not look sound.
    for (Index k = 0; k < state.lanes; ++k) {
      const T raised = value[k] < low ? low : value[k];
      value[k] = raised > high ? high : raised;
    }
  }
}

template <class T>
void hold_ended(const T* alive, ConstBlock<T> state, Block<T> next) {
  for (Index i = 0; i < next.dim; ++i) {
    for (Index k = 0; k < next.lanes; ++k) {
      next.row(i)[k] = alive[k] != T(0) ? next.row(i)[k] : state.row(i)[k];
    }
  }
}

template <class T>
void add_scaled(const T* reward, T scale, const T* alive, Index lanes, T* total) {
  if (alive == nullptr) {
    for (Index k = 0; k < lanes; ++k) total[k] += scale * reward[k];
    return;
  }
  // A choice, not a product: an ended trajectory's reward may be nan and must not count.
  for (Index k = 0; k < lanes; ++k) total[k] += alive[k] != T(0) ? scale * reward[k] : T(0);
}

// One block's particles on their way through time. With a trajectory, its own rows hold the states; without, two tiles
// of each particle take turns.
template <class T>
class BlockRun {
 public:
  BlockRun(const RolloutProblem<T>& problem, const BlockRollout<T>& block, Workspace& workspace)
      : problem_(problem),
        block_(block),
        workspace_(workspace),
        state_dim_(problem.dynamics->state_dim()),
        action_dim_(problem.dynamics->action_dim()),
        output_dim_(problem.dynamics->output_dim()),
        lanes_(block.actions.lanes),
        horizon_(block.actions.dim / action_dim_),
        first_particle_(std::max(block.particle, Index{0})),
        particles_(block.particle < 0 ? problem.particles.count : 1),
        keeps_trajectory_(block.trajectory.data != nullptr),
        particle_rows_(keeps_trajectory_ ? problem.trajectory_rows(horizon_) : 2 * output_dim_) {
    tiles_ = keeps_trajectory_ ? block.trajectory : workspace.take_block<T>(particles_ * particle_rows_, lanes_);
    for (Index p = 0; p < particles_; ++p) begin(state(p, 0));
    draw_ = {block.stream,    block.first_candidate, 0, problem.particles.propagation, 0, problem.particles.count,
             block.candidates};
    take_lives();
    take_totals();
  }

  void run() {
    for (Index t = 0; t < horizon_; ++t) {
      draw_.step = t;
      for (Index p = 0; p < particles_; ++p) {
        if (block_.interrupt != nullptr && block_.interrupt->requested()) return;
        step(p, t);
      }
      if (draw_.propagation == Propagation::kMoment) {
        match_moments<T>({state(0, t + 1), particle_rows_}, alive_, problem_.dynamics->angles(), draw_, workspace_);
      }
      for (Index p = 0; p < particles_; ++p) arrive(p, t);
      scale_ *= problem_.discount;
    }
    reject_totals();
    if (block_.end.totals.data != nullptr) {
      write_end();
    } else {
      reduce_totals();
    }
  }

 private:
  // Blocks are made where they are handed on and never kept in between: to copy one that has just been written costs a
  // stall of some ten cycles, a twentieth of a small model's step in all.

  // The first row of the states and of what is predicted besides; a trajectory's next state takes the latter's place.
  T* at(Index particle, Index t) const {
    const Index row = keeps_trajectory_ ? t * state_dim_ : t % 2 * output_dim_;
    return tiles_.row(particle * particle_rows_ + row);
  }
  Block<T> outputs(Index particle, Index t) const { return {at(particle, t), output_dim_, lanes_, tiles_.stride}; }
  Block<T> state(Index particle, Index t) const { return {at(particle, t), state_dim_, lanes_, tiles_.stride}; }
  ConstBlock<T> seen(Index particle, Index t) const { return {at(particle, t), state_dim_, lanes_, tiles_.stride}; }
  ConstBlock<T> predicted(Index particle, Index t) const {
    return {at(particle, t) + state_dim_ * tiles_.stride, output_dim_ - state_dim_, lanes_, tiles_.stride};
  }
  ConstBlock<T> action(Index t) const {
    return {block_.actions.row(t * action_dim_), action_dim_, lanes_, block_.actions.stride};
  }
  ConstBlock<T> previous_action(Index t) const {
    return t == 0 && block_.last_action.data != nullptr ? block_.last_action : action(t > 0 ? t - 1 : 0);
  }
  T* alive(Index particle) const { return alive_.data != nullptr ? alive_.row(particle) : nullptr; }

  void begin(Block<T> state) const {
    if (problem_.coordinates != nullptr) {
      problem_.coordinates->apply(&block_.initial_state, 1, state);
    } else {
      copy_block(block_.initial_state, state);
    }
  }

  void take_lives() {
    if (problem_.termination != nullptr || problem_.disagreement_limit) {
      alive_ = workspace_.take_block<T>(particles_, lanes_);
      std::fill_n(alive_.data, particles_ * lanes_, T(1));
    }
    if (problem_.disagreement_limit) {
      steps_within_limit_ = block_.steps_within_limit;
      if (steps_within_limit_.data == nullptr) steps_within_limit_ = workspace_.take_block<T>(particles_, lanes_);
      std::fill_n(steps_within_limit_.data, particles_ * lanes_, static_cast<T>(horizon_));
      disagreement_ = workspace_.take<T>(lanes_);
      limit_ = static_cast<T>(problem_.disagreement_limit->limit);
    }
  }

  // A step's reward adds to the total directly unless the discount so far, or whether the particle is still alive,
  // weighs it. One particle's total is its candidate's.
  void take_totals() {
    const bool keeps_each = block_.end.totals.data != nullptr;
    if ((block_.total == nullptr && !keeps_each) || problem_.reward == nullptr) return;
    if (keeps_each) {
      totals_ = block_.end.totals;
    } else if (particles_ == 1) {
      totals_ = {block_.total, 1, lanes_, lanes_};
    } else {
      totals_ = workspace_.take_block<T>(particles_, lanes_);
      returns_ = workspace_.take<T>(particles_);
    }
    std::fill_n(totals_.data, particles_ * lanes_, T(0));
    if (problem_.limits_steps()) take_violations();
    if (alive_.data != nullptr || problem_.discount != T(1)) step_reward_ = workspace_.take<T>(lanes_);
  }

  void take_violations() {
    violation_ = workspace_.take_block<T>(particles_, lanes_);
    std::fill_n(violation_.data, particles_ * lanes_, T(0));
    if (problem_.allowed != nullptr) {
      violation_unit_ = workspace_.take<T>(state_dim_);
      for (Index i = 0; i < state_dim_; ++i) violation_unit_[i] = distance_to_limit(i, state(0, 0).row(i)[0]);
    }
    if (problem_.constraints.empty()) return;
    constraint_ = workspace_.take<T>(lanes_);
    constraint_unit_ = workspace_.take<T>(static_cast<Index>(problem_.constraints.size()));
    const Workspace::Scope scope(workspace_);
    const Block<T> no_action = workspace_.take_block<T>(action_dim_, lanes_);
    std::fill_n(no_action.data, action_dim_ * lanes_, T(0));
    const StepView<T> stays{seen(0, 0), no_action, no_action, seen(0, 0), {}, block_.first_step, last_step()};
    for (std::size_t n = 0; n < problem_.constraints.size(); ++n) {
      evaluate(*problem_.constraints[n], stays);
      constraint_unit_[n] = first_length<T>({std::abs(constraint_[0])});
    }
  }

  void step(Index particle, Index t) {
    if (block_.feedback != nullptr) block_.feedback->act(t, seen(particle, t), previous_action(t));
    if (problem_.disagreement_limit) stop_beyond_disagreement(particle, t);
    draw_.particle = first_particle_ + particle;
    problem_.dynamics->step(seen(particle, t), action(t), draw_, workspace_, outputs(particle, t + 1));
  }

  void stop_beyond_disagreement(Index particle, Index t) {
    problem_.dynamics->disagreement(state(particle, t), action(t), workspace_, disagreement_);
    T* const lives = alive_.row(particle);
    T* const within_limit = steps_within_limit_.row(particle);
    for (Index k = 0; k < lanes_; ++k) {
      // A disagreement that is nan exceeds every limit.
      const bool exceeds = lives[k] != T(0) && !(disagreement_[k] <= limit_);
      within_limit[k] = exceeds ? static_cast<T>(t) : within_limit[k];
      lives[k] = exceeds ? T(0) : lives[k];
    }
  }

  void arrive(Index particle, Index t) {
    if (problem_.limits != nullptr) clip(*problem_.limits, state(particle, t + 1));
    if (alive_.data != nullptr) hold_ended<T>(alive(particle), state(particle, t), state(particle, t + 1));
    if (violation_.data != nullptr) add_violations(particle, t);
    if (totals_.data != nullptr) pay(view(particle, t), alive(particle), totals_.row(particle));
    if (problem_.termination != nullptr) problem_.termination->mark(view(particle, t), workspace_, alive(particle));
  }

  StepView<T> view(Index particle, Index t) const {
    return {seen(particle, t),     action(t),  previous_action(t), seen(particle, t + 1), predicted(particle, t + 1),
            block_.first_step + t, last_step()};
  }
  Index last_step() const { return block_.last_step > 0 ? block_.last_step : horizon_; }

  void pay(const StepView<T>& view, const T* lives, T* total) {
    if (step_reward_ == nullptr) {
      problem_.reward->add(view, workspace_, total);
      return;
    }
    std::fill_n(step_reward_, lanes_, T(0));
    problem_.reward->add(view, workspace_, step_reward_);
    add_scaled(step_reward_, scale_, lives, lanes_, total);
  }

  // How far an entry of the first state is from its nearest limit; where that is no length, another that the limits
  // have.
  T distance_to_limit(Index i, T value) const {
    const T low = problem_.allowed->low[static_cast<std::size_t>(i)];
    const T high = problem_.allowed->high[static_cast<std::size_t>(i)];
    const T distance = std::min(std::abs(value - low), std::abs(high - value));
    return first_length<T>({distance, high - low, std::abs(low), std::abs(high)});
  }

  void add_violations(Index particle, Index t) {
    T* const violation = violation_.row(particle);
    const T* const lives = alive(particle);
    for (Index i = 0; problem_.allowed != nullptr && i < state_dim_; ++i) {
      const T low = problem_.allowed->low[static_cast<std::size_t>(i)];
      const T high = problem_.allowed->high[static_cast<std::size_t>(i)];
      const T* const value = seen(particle, t + 1).row(i);
      const auto outside = [&](Index k) {
        return value[k] >= low && value[k] <= high ? T(0) : std::max(low - value[k], value[k] - high);
      };
      add_excess(outside, violation_unit_[i], lives, violation);
    }
    for (std::size_t n = 0; n < problem_.constraints.size(); ++n) {
      evaluate(*problem_.constraints[n], view(particle, t));
      add_excess([&](Index k) { return constraint_[k]; }, constraint_unit_[n], lives, violation);
    }
  }

  void evaluate(const Reward<T>& constraint, const StepView<T>& view) {
    std::fill_n(constraint_, lanes_, T(0));
    constraint.add(view, workspace_, constraint_);
  }

  // What is above 0 violates something; a nan does as much as can be told.
  template <class Excess>
  void add_excess(const Excess& excess, T unit, const T* lives, T* violation) const {
    constexpr T kMax = T(1e6);
    const T share = T(1) / unit;
    for (Index k = 0; k < lanes_; ++k) {
      const T above = excess(k);
      if (above <= T(0)) continue;
      if (lives != nullptr && lives[k] == T(0)) continue;
      // However little it is, as long as it counts as something.
      violation[k] += share * above < kMax ? std::max(share * above, std::numeric_limits<T>::min()) : kMax;
    }
  }

  void reject_totals() {
    if (!problem_.rejects()) return;
    if (block_.violation != nullptr) std::fill_n(block_.violation, lanes_, T(0));
    if (totals_.data == nullptr) return;
    const bool rejects_exceeding =
        problem_.disagreement_limit && problem_.disagreement_limit->on_exceeding == OnExceeding::kReject;
    for (Index i = 0; i < particles_ * lanes_; ++i) {
      T violation = violation_.data != nullptr ? violation_.data[i] : T(0);
      // Of the disagreement limit, the share of the steps after it is exceeded.
      if (rejects_exceeding) violation += T(1) - steps_within_limit_.data[i] / static_cast<T>(horizon_);
      if (!(violation > T(0))) continue;
      totals_.data[i] = -std::numeric_limits<T>::infinity();
      if (block_.violation != nullptr) block_.violation[i % lanes_] += violation / static_cast<T>(particles_);
    }
  }

  void write_end() {
    for (Index p = 0; p < particles_; ++p) {
      copy_block<T>(seen(p, horizon_), block_.end.states.rows(p * state_dim_, state_dim_));
      T* const weight = block_.end.weights.row(p);
      std::fill_n(weight, lanes_, scale_);
      if (alive_.data == nullptr) continue;
      for (Index k = 0; k < lanes_; ++k) weight[k] = alive_.row(p)[k] != T(0) ? scale_ : T(0);
    }
  }

  void reduce_totals() {
    for (Index k = 0; returns_ != nullptr && k < lanes_; ++k) {
      for (Index p = 0; p < particles_; ++p) returns_[p] = totals_.row(p)[k];
      block_.total[k] = reduce(problem_.particles.risk, problem_.dynamics->members(), returns_, particles_);
    }
  }

  const RolloutProblem<T>& problem_;
  const BlockRollout<T>& block_;
  Workspace& workspace_;
  Index state_dim_;
  Index action_dim_;
  Index output_dim_;
  Index lanes_;
  Index horizon_;
  Index first_particle_;
  Index particles_;  // from that on
  bool keeps_trajectory_;
  Index particle_rows_;
  Block<T> tiles_;               // (P * particle_rows, K)
  Block<T> alive_;               // (P, K), no data where nothing ends a particle
  Block<T> steps_within_limit_;  // (P, K), no data without a disagreement limit
  Block<T> violation_;           // (P, K) of what is allowed; no data where everything is
  Block<T> totals_;              // (P, K), no data where no return is wanted
  T* disagreement_ = nullptr;    // (K)
  T* step_reward_ = nullptr;     // (K), null where nothing is weighed
  T* returns_ = nullptr;         // (P), null for one particle
  T* violation_unit_ = nullptr;  // (S), null where all states are allowed
  T* constraint_ = nullptr;      // (K), null without constraints
  T* constraint_unit_ = nullptr;
  T limit_ = T(0);  // of the disagreement
  T scale_ = T(1);
  Draw draw_;
};

}  // namespace

template <class T>
std::size_t RolloutProblem<T>::workspace_bytes(Index lanes, bool keeps_trajectory) const {
  const Index count = particles.count;
  const Index tile_rows = keeps_trajectory ? 0 : count * 2 * dynamics->output_dim();
  const std::size_t of_dynamics = dynamics->workspace_bytes(lanes);
  const std::size_t of_reward = reward != nullptr ? reward->workspace_bytes(lanes) : 0;
  const std::size_t of_termination = termination != nullptr ? termination->workspace_bytes(lanes) : 0;
  const std::size_t of_moments =
      particles.propagation == Propagation::kMoment ? match_moments_bytes<T>(dynamics->state_dim(), lanes) : 0;
  std::size_t of_constraints = 0;
  for (const Reward<T>* constraint : constraints) {
    of_constraints = std::max(of_constraints, constraint->workspace_bytes(lanes));
  }
  if (!constraints.empty()) of_constraints += Workspace::bytes<T>(dynamics->action_dim() * lanes);
  const std::size_t own = Workspace::bytes<T>(tile_rows * lanes) + 4 * Workspace::bytes<T>(count * lanes) +
                          3 * Workspace::bytes<T>(lanes) + Workspace::bytes<T>(count) +
                          Workspace::bytes<T>(dynamics->state_dim()) +
                          Workspace::bytes<T>(static_cast<Index>(constraints.size())) +
                          std::max({of_dynamics, of_reward, of_termination, of_moments, of_constraints});
  return cheaper != nullptr ? std::max(own, cheaper->workspace_bytes(lanes, keeps_trajectory)) : own;
}

namespace {

template <class T>
void require_states(const char* name, const StateLimits<T>* limits, Index state_dim) {
  if (limits == nullptr) return;
  require_model_states(name, "bounds", static_cast<Index>(limits->low.size()), state_dim);
}

}  // namespace

template <class T>
void RolloutProblem<T>::validate() const {
  const Index state_dim = dynamics->state_dim();
  if (reward != nullptr) {
    reward->require_dims(state_dim, dynamics->action_dim());
    if (reward->needs_prediction() && dynamics->output_dim() == state_dim) {
      throw ValueError("reward: predicted by the model, but this model predicts no rewards; fit one that does");
    }
  }
  if (termination != nullptr) termination->require_dims(state_dim, dynamics->action_dim());
  require_states("clip", limits, state_dim);
  require_states("limits", allowed, state_dim);
  for (const Reward<T>* constraint : constraints) constraint->require_dims(state_dim, dynamics->action_dim());
  require(discount > T(0) && discount <= T(1), "discount", discount, "in (0, 1]");
  particles.validate();
  particles.require_members(dynamics->members());
  if (disagreement_limit) disagreement_limit->validate();
}

template <class T>
void rollout_block(const RolloutProblem<T>& problem, const BlockRollout<T>& block, Workspace& workspace) {
  if (problem.cheaper != nullptr && block.trajectory.data == nullptr && block.end.totals.data == nullptr) {
    rollout_block(*problem.cheaper, block, workspace);
    return;
  }
  const Workspace::Scope scope(workspace);
  BlockRun<T>(problem, block, workspace).run();
}

template struct RolloutProblem<float>;
template struct RolloutProblem<double>;
template void rollout_block<float>(const RolloutProblem<float>&, const BlockRollout<float>&, Workspace&);
template void rollout_block<double>(const RolloutProblem<double>&, const BlockRollout<double>&, Workspace&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

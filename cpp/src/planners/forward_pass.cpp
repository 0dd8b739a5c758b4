#include "dynaplan/planners/forward_pass.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/transpose.hpp"
#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

static_assert(ForwardPass::kAtOnce % kVectorLanes<double> == 0, "a block is whole vectors wide");

// The action of each candidate: that of the nominal trajectory, its share of the change, and the gain times how far
// the candidate's state is from the nominal one.
class ForwardPass::Follower final : public ActionFeedback<double> {
 public:
  Follower(const ExactPlanProblem& problem, const BackwardPass& policy, const NominalTrajectory& nominal,
           const WholeState& whole, const std::vector<double>& periods, const double* shares, Block<double> actions)
      : problem_(problem),
        policy_(policy),
        nominal_(nominal),
        whole_(whole),
        periods_(periods),
        shares_(shares),
        actions_(actions) {}

  void act(Index step, ConstBlock<double> state, ConstBlock<double> previous_action) const override {
    const LocalPolicy& policy = policy_.policy(step);
    const double* const nominal = nominal_.action(step, whole_.action_dim);
    for (Index i = 0; i < whole_.action_dim; ++i) {
      double* const action = actions_.row(step * whole_.action_dim + i);
      double change[kAtOnce];
      for (Index k = 0; k < kAtOnce; ++k) change[k] = shares_[k] * policy.change(i);
      add_gains(policy, step, i, state, previous_action, change);
      for (Index k = 0; k < kAtOnce; ++k) {
        // From a state that is not finite there is nothing to learn.
        const double wanted = std::isfinite(change[k]) ? nominal[i] + change[k] : nominal[i];
        const bool is_first = step == 0 && problem_.last_action == nullptr;
        const auto [low, high] = action_range(problem_, step, i, is_first ? nullptr : &previous_action.row(i)[k]);
        action[k] = std::clamp(wanted, low, high);
      }
    }
  }

 private:
  void add_gains(const LocalPolicy& policy, Index step, Index i, ConstBlock<double> state,
                 ConstBlock<double> previous_action, double* change) const {
    const double* const nominal_state = nominal_.state(step, whole_.state_dim);
    for (Index d = 0; d < whole_.state_dim; ++d) {
      add_gain(policy.gain(i, d), state.row(d), nominal_state[d], periods_[static_cast<std::size_t>(d)], change);
    }
    if (whole_.has_previous_action && step > 0) {
      const double* const before = nominal_.action(step - 1, whole_.action_dim);
      for (Index j = 0; j < whole_.action_dim; ++j) {
        add_gain(policy.gain(i, whole_.state_dim + j), previous_action.row(j), before[j], 0.0, change);
      }
    }
    if (!whole_.has_earlier_action || step < 2) return;
    const Index first = (step - 2) * whole_.action_dim;
    const double* const earlier = nominal_.action(step - 2, whole_.action_dim);
    for (Index j = 0; j < whole_.action_dim; ++j) {
      const Index entry = whole_.state_dim + whole_.action_dim + j;
      add_gain(policy.gain(i, entry), actions_.row(first + j), earlier[j], 0.0, change);
    }
  }

  static void add_gain(double gain, const double* state, double nominal, double period, double* change) {
    if (gain == 0.0) return;
    for (Index k = 0; k < kAtOnce; ++k) {
      const double apart = state[k] - nominal;
      change[k] += gain * (period > 0.0 ? short_way(apart, period) : apart);
    }
  }

  const ExactPlanProblem& problem_;
  const BackwardPass& policy_;
  const NominalTrajectory& nominal_;
  const WholeState& whole_;
  const std::vector<double>& periods_;
  const double* shares_;
  Block<double> actions_;
};

void ForwardPass::prepare(const ExactPlanProblem& problem, Index horizon) {
  whole_ = WholeState::of(problem);
  horizon_ = horizon;
  rollout_ = problem.rollout;
  rollout_.allowed = nullptr;  // is among the added costs, as the constraints are
  rollout_.constraints.clear();
  assign_periods(rollout_.dynamics->angles(), whole_.state_dim, periods_);
  if (problem.score != nullptr) {
    rollout_.reward = nullptr;
    rollout_.termination = nullptr;
  }
  const auto at_once = static_cast<std::size_t>(kAtOnce);
  const auto state_size = static_cast<std::size_t>((horizon + 1) * whole_.state_dim);
  const auto action_size = static_cast<std::size_t>(horizon * whole_.action_dim);
  actions_.resize(action_size * at_once);
  trajectory_.resize(static_cast<std::size_t>(rollout_.trajectory_rows(horizon)) * at_once);
  totals_.resize(at_once);
  kept_.value = -std::numeric_limits<double>::infinity();
  candidate_.states.resize(state_size);
  candidate_.actions.resize(action_size);
  if (problem.score != nullptr) {
    paths_.resize(at_once * state_size);
    sequences_.resize(at_once * action_size);
  }
  if (problem.terminal_value != nullptr) end_states_.resize(at_once * static_cast<std::size_t>(whole_.state_dim));
  workspace_.reserve(std::max(end_bytes(problem), Workspace::bytes<double>(whole_.state_dim * kAtOnce) +
                                                      Workspace::bytes<double>(whole_.action_dim * kAtOnce) +
                                                      Workspace::bytes<double>(whole_.state_dim * kAtOnce) +
                                                      Workspace::bytes<double>(kAtOnce) +
                                                      rollout_.workspace_bytes(kAtOnce, true)));
}

ForwardPass::Count ForwardPass::start(const ExactPlanProblem& problem, const AddedCosts& added,
                                      NominalTrajectory& nominal) {
  constexpr Index kOwn = 3;  // the warm start, the middle and no action come first
  Count total;
  for (Index first = 0; first < kOwn + problem.carried.count; first += kAtOnce) {
    const Index count = std::min(kAtOnce, kOwn + problem.carried.count - first);
    for (Index k = 0; k < kAtOnce; ++k) write_start(problem, std::min(first + k, first + count - 1), k);
    if (whole_.has_earlier_action) limit_changes(problem, actions());
    const Count part = roll_out(problem, added, nullptr, count);
    total.candidates += part.candidates;
    total.non_finite += part.non_finite;
    if (first == 0 || best_total() > nominal.total) accept(problem, nominal);
  }
  return total;
}

ForwardPass::Count ForwardPass::limit(const ExactPlanProblem& problem, const AddedCosts& added,
                                      const NominalTrajectory& nominal) {
  for (Index row = 0; row < actions().dim; ++row) {
    std::fill_n(actions().row(row), kAtOnce, nominal.actions[static_cast<std::size_t>(row)]);
  }
  limit_changes(problem, actions());
  return roll_out(problem, added, nullptr, 1);
}

void ForwardPass::write_start(const ExactPlanProblem& problem, Index number, Index lane) {
  const EarlierSequences& carried = problem.carried;
  const Index given = number > 2 ? std::min(carried.steps_left(), horizon_) * whole_.action_dim : 0;
  for (Index row = 0; row < actions().dim; ++row) {
    const Index i = row % whole_.action_dim;
    const Index step = row / whole_.action_dim;
    double action = number == 1 ? 0.5 * problem.low_at(step, i) + 0.5 * problem.high_at(step, i) : 0.0;
    if (number == 0 || number > 2) action = problem.start_action(row);  // also for the steps that a sequence lacks
    if (row < given) {
      action = carried.actions[((number - 3) * carried.steps + carried.skip) * whole_.action_dim + row];
    }
    const double* before = row < whole_.action_dim ? problem.last_action : nullptr;
    if (before != nullptr) before += i;
    if (row >= whole_.action_dim) before = &actions().row(row - whole_.action_dim)[lane];
    const auto [lowest, highest] = action_range(problem, step, i, before);
    actions().row(row)[lane] = std::clamp(action, lowest, highest);
  }
}

ForwardPass::Count ForwardPass::follow(const ExactPlanProblem& problem, const AddedCosts& added,
                                       const BackwardPass& policy, const NominalTrajectory& nominal, double largest,
                                       Index count) {
  for (Index k = 0; k < kAtOnce; ++k) shares_[k] = std::ldexp(largest, -static_cast<int>(k));
  const Follower follower(problem, policy, nominal, whole_, periods_, shares_, actions());
  return roll_out(problem, added, &follower, count);
}

ForwardPass::Count ForwardPass::roll_out(const ExactPlanProblem& problem, const AddedCosts& added,
                                         const ActionFeedback<double>* feedback, Index count) {
  {
    const Workspace::Scope scope(workspace_);
    BlockRollout<double> block;
    block.interrupt = problem.interrupt;
    const Block<double> state = workspace_.take_block<double>(whole_.state_dim, kAtOnce);
    for (Index d = 0; d < state.dim; ++d) std::fill_n(state.row(d), kAtOnce, problem.state[d]);
    block.initial_state = state;
    block.actions = actions();
    if (problem.last_action != nullptr) {
      const Block<double> last = workspace_.take_block<double>(whole_.action_dim, kAtOnce);
      for (Index i = 0; i < last.dim; ++i) std::fill_n(last.row(i), kAtOnce, problem.last_action[i]);
      block.last_action = last;
    }
    block.feedback = feedback;
    block.candidates = count;
    const bool adds_value = problem.score == nullptr && problem.terminal_value != nullptr;
    if (adds_value) {
      block.end = {workspace_.take_block<double>(whole_.state_dim, kAtOnce),
                   workspace_.take_block<double>(1, kAtOnce),
                   {totals_.data(), 1, kAtOnce, kAtOnce}};
    } else if (problem.score == nullptr) {
      block.total = totals_.data();
    }
    block.trajectory = {trajectory_.data(), rollout_.trajectory_rows(horizon_), kAtOnce, kAtOnce};
    rollout_block(rollout_, block, workspace_);
    if (adds_value) add_terminal_value(*problem.terminal_value, block.end, count);
  }
  if (problem.score != nullptr) score(problem, count);
  Count counted{count, 0};
  best_ = 0;
  for (Index k = 0; k < count; ++k) {
    double& total = totals_[static_cast<std::size_t>(k)];
    values_[k] = total;
    if (!added.is_empty() && std::isfinite(total)) total -= charge(problem, added, k);
    if (!std::isfinite(total)) {
      total = -std::numeric_limits<double>::infinity();
      ++counted.non_finite;
    }
    if (total > best_total()) best_ = k;
  }
  return counted;
}

// What a candidate is charged besides its reward; remembers it where it is the best that keeps the limits.
double ForwardPass::charge(const ExactPlanProblem& problem, const AddedCosts& added, Index candidate) {
  copy(candidate, candidate_);
  candidate_.length = horizon_;
  candidate_.value = values_[candidate];
  if (added.limits != nullptr) {
    const std::optional<Index> end = end_of(problem, candidate_, workspace_);
    candidate_.length = end.value_or(horizon_);
    candidate_.ends = end.has_value();
    if (candidate_.value > kept_.value && added.limits->is_kept(problem, candidate_)) kept_ = candidate_;
  }
  return added.cost(problem, candidate_);
}

void ForwardPass::add_terminal_value(const TerminalValue<double>& value, const RolloutEnd<double>& end, Index count) {
  block_to_rows<double>(end.states, count, end_states_.data(), whole_.state_dim);
  double values[kAtOnce];
  value.value(end_states_.data(), count, values);
  for (Index k = 0; k < count; ++k) {
    // A choice, not a product: what follows the end of an episode counts for nothing, also where it is nan.
    const double weight = end.weights.row(0)[k];
    if (weight != 0.0) totals_[static_cast<std::size_t>(k)] += weight * values[k];
  }
}

void ForwardPass::score(const ExactPlanProblem& problem, Index count) {
  const Index state_size = (horizon_ + 1) * whole_.state_dim;
  const Index action_size = horizon_ * whole_.action_dim;
  block_to_rows<double>({trajectory_.data(), state_size, kAtOnce, kAtOnce}, count, paths_.data(), state_size);
  block_to_rows<double>(actions(), count, sequences_.data(), action_size);
  problem.score->score(paths_.data(), sequences_.data(), nullptr, count, horizon_, totals_.data(), nullptr);
}

void ForwardPass::copy(Index candidate, NominalTrajectory& trajectory) const {
  for (std::size_t row = 0; row < trajectory.states.size(); ++row) {
    trajectory.states[row] = trajectory_[row * static_cast<std::size_t>(kAtOnce) + static_cast<std::size_t>(candidate)];
  }
  for (std::size_t row = 0; row < trajectory.actions.size(); ++row) {
    trajectory.actions[row] = actions_[row * static_cast<std::size_t>(kAtOnce) + static_cast<std::size_t>(candidate)];
  }
}

void ForwardPass::take(const ExactPlanProblem& problem, Index candidate, NominalTrajectory& trajectory) {
  copy(candidate, trajectory);
  trajectory.total = total(candidate);
  trajectory.value = values_[candidate];
  const std::optional<Index> end = end_of(problem, trajectory, workspace_);
  trajectory.length = end.value_or(horizon_);
  trajectory.ends = end.has_value();
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

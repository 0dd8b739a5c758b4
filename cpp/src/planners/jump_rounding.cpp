#include "dynaplan/planners/jump_rounding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/rounding.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/planners/action_limits.hpp"
#include "dynaplan/planners/rounding.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Where a number that decides whether something jumps goes along trajectories.
struct Reach {
  double low = kInfinity;
  double high = -kInfinity;
  double size = 0.0;  // of the entries that it is made of
  double clearance = kInfinity;

  template <class T>
  void add(const Jump& jump, const T* state) {
    const auto entry = static_cast<double>(state[jump.entry]);
    const double other = jump.other >= 0 ? static_cast<double>(state[jump.other]) : 0.0;
    const double value = entry - other;
    low = std::min(low, value);
    high = std::max(high, value);
    size = std::max(size, std::abs(entry) + std::abs(other));
    clearance = std::min({clearance, std::abs(value - jump.low), std::abs(value - jump.high)});
  }
  double range() const { return high - low; }
};

template <class T>
Reach reach_of(const Jump& jump, const std::vector<T>& states, Index state_dim) {
  Reach reach;
  for (std::size_t first = 0; first < states.size(); first += static_cast<std::size_t>(state_dim)) {
    reach.add(jump, states.data() + first);
  }
  return reach;
}

double share_of(const Jump& jump, const Reach& reach, double range) {
  // A place that is met within a hundredth of the width beside it is met.
  constexpr double kWidths = 100.0;
  double scale = jump.moves ? range : std::max(range, reach.clearance);
  if (const double width = jump.high - jump.low; width > 0.0) scale = std::min(scale, kWidths * width);
  const double error = kErrorOfRounding<float> * reach.size;
  if (!(error > 0.0)) return 0.0;
  return scale > 0.0 ? error / scale : kInfinity;
}

// The states (n, S) of rollouts of the mean in float64, each of one action drawn from the box.
class FewRollouts {
 public:
  FewRollouts(const ExactPlanProblem& problem, Index horizon) : problem_(problem), horizon_(horizon) {}

  const std::vector<double>& states() {
    if (states_.empty()) roll();
    return states_;
  }

 private:
  static constexpr Index kFew = kVectorLanes<double>;

  void roll() {
    RolloutProblem<double> mean;
    mean.dynamics = problem_.rollout.dynamics;
    mean.limits = problem_.rollout.limits;
    const std::vector<double> actions = drawn_actions();
    states_.resize(static_cast<std::size_t>(kFew * (horizon_ + 1) * mean.dynamics->state_dim()));
    RolloutBatch<double> batch;
    batch.count = kFew;
    batch.horizon = horizon_;
    batch.states = problem_.state;
    batch.one_state = true;
    batch.actions = actions.data();
    batch.trajectories = states_.data();
    batch.interrupt = problem_.interrupt;
    rollout(mean, batch);
  }

  std::vector<double> drawn_actions() const {
    const Index action_dim = problem_.rollout.dynamics->action_dim();
    const Index size = horizon_ * action_dim;
    alignas(64) double uniform[kFew];
    std::vector<double> actions(static_cast<std::size_t>(kFew * size));
    for (Index dim = 0; dim < action_dim; ++dim) {
      fill_uniform(problem_.stream, Purpose::kActions, 0, normal_rows(1) * dim, Block<double>{uniform, 1, kFew, kFew});
      const double low = problem_.action_low[dim];
      const double high = problem_.action_high[dim];
      for (Index n = 0; n < kFew; ++n) {
        for (Index row = dim; row < size; row += action_dim) {
          actions[static_cast<std::size_t>(n * size + row)] = (1.0 - uniform[n]) * low + uniform[n] * high;
        }
      }
    }
    for (Index n = 0; n < kFew; ++n) limit_changes(problem_, horizon_, actions.data() + n * size);
    return actions;
  }

  const ExactPlanProblem& problem_;
  Index horizon_;
  std::vector<double> states_;
};

}  // namespace

template <class T>
void find_jumps(const PlanProblemOf<T>& problem, Jumps& out) {
  const RolloutProblem<T>& rollout = problem.rollout;
  out.clear();
  // How far members disagree is a function of all that they are given.
  out.anywhere = problem.score != nullptr || problem.terminal_value != nullptr || rollout.dynamics->may_jump() ||
                 rollout.disagreement_limit.has_value();
  if (rollout.reward != nullptr) rollout.reward->add_jumps(out);
  if (rollout.termination != nullptr) rollout.termination->add_jumps(out);
}

double rounding_of_jumps(const ExactPlanProblem& exact, const Jumps& jumps, const std::vector<float>& states,
                         Index horizon) {
  const Index state_dim = exact.rollout.dynamics->state_dim();
  FewRollouts few(exact, horizon);
  double share = 0.0;
  const auto look_at = [&](const Jump& jump) {
    const Reach reach = reach_of(jump, states, state_dim);
    double of_jump = share_of(jump, reach, reach.range());
    if (of_jump > kMaxRounding) {
      const double range = reach_of(jump, few.states(), state_dim).range();
      // What float64 cannot tell from a constant is one.
      const bool moves = range > kErrorOfRounding<double> / kMaxRounding * reach.size;
      of_jump = moves ? share_of(jump, reach, std::max(range, reach.range())) : 0.0;
    }
    share = std::max(share, of_jump);
  };
  for (const Jump& jump : jumps.places) look_at(jump);
  if (!jumps.anywhere) return share;
  for (Index i = 0; i < state_dim; ++i) look_at({i, -1, -kInfinity, kInfinity, true});
  for (Index i = 0; i < exact.rollout.dynamics->action_dim(); ++i) {
    const double size = std::max(std::abs(exact.action_low[i]), std::abs(exact.action_high[i]));
    const double width = exact.action_high[i] - exact.action_low[i];
    if (width > 0.0) share = std::max(share, kErrorOfRounding<float> * size / width);
  }
  return share;
}

template void find_jumps(const PlanProblem&, Jumps&);
template void find_jumps(const ExactPlanProblem&, Jumps&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/ilqr_run.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Changes of the return below this share of it are rounding.
constexpr double kRounding = 1e-15;

// The unit of rewards, by what actions can change of them: 1 unless that is very far from it.
double unit_of(double size) {
  constexpr int kSmall = -20;
  constexpr int kLarge = 66;  // a model that explodes may make as much of common units
  const int exponent = size > 0.0 ? std::ilogb(size) : 0;
  return exponent < kSmall || exponent > kLarge ? std::ldexp(1.0, exponent) : 1.0;
}

}  // namespace

IlqrRun::IlqrRun(const IlqrSettings& settings, const ExactPlanProblem& problem, const CostBeyond* beyond,
                 TrajectoryMemory& memory, TrajectoryPlan& result, bool charges_rates)
    : settings_(settings),
      charges_rates_(charges_rates && problem.action_rate != nullptr),
      given_(problem),
      problem_(charged_problem()),
      added_{beyond, nullptr},
      memory_(memory),
      result_(result),
      regularisation_(settings),
      deriving_(problem.deadline),
      searching_(problem.deadline) {
  const Dynamics<double>& dynamics = *problem.rollout.dynamics;
  const Index variables = dynamics.state_dim() + 3 * dynamics.action_dim();
  require_addressable("horizon", {settings.horizon + 1, variables, variables});
  const auto actions = static_cast<std::size_t>(settings.horizon * dynamics.action_dim());
  memory.nominal.actions.resize(actions);
  memory.nominal.states.resize(static_cast<std::size_t>((settings.horizon + 1) * dynamics.state_dim()));
  memory.limits.prepare(problem, settings.horizon,
                        charges_rates_ ? ChargedChanges::kAccelerationsAndRates : ChargedChanges::kAccelerations);
  if (!memory.limits.is_empty()) added_.limits = &memory.limits;
  memory.expansion.prepare(problem, settings.horizon);
  memory.terminal.prepare(problem);
  memory.backward.prepare(memory.expansion.whole(), settings.horizon);
  memory.forward.prepare(problem, settings.horizon);
  result.gains.assign(actions * static_cast<std::size_t>(dynamics.state_dim()), 0.0);
  result.candidates = result.non_finite = result.rejected = 0;
  result.iterations = 0;
}

// The problem with rates that hold nothing.
const ExactPlanProblem& IlqrRun::charged_problem() {
  if (!charges_rates_) return given_;
  const Index action_dim = given_.rollout.dynamics->action_dim();
  free_rates_.assign(static_cast<std::size_t>(action_dim), std::numeric_limits<double>::infinity());
  without_rates_ = given_;
  without_rates_->action_rate = free_rates_.data();
  return *without_rates_;
}

void IlqrRun::run() {
  count(memory_.forward.start(given_, added_, memory_.nominal));
  start_with_feedback();
  if (added_.limits != nullptr) set_prices([&] { memory_.limits.set_units(problem_, memory_.nominal); });
  result_.status = PlanStatus::kNoFiniteCandidate;
  if (std::isfinite(memory_.nominal.total)) {
    result_.status = improve_within_limits();
    if (charges_changes()) keep_changes();
    if (added_.limits != nullptr) take_best_kept();
    write_gains();
  }
  write_plan();
}

// Of an unstable system every open loop runs away, and from there nothing is to be learnt. The regulator of the model
// near the first state, its actions set on the bounds, starts nearer to what can be held.
void IlqrRun::start_with_feedback() {
  if (!deriving_.in_time()) return;
  deriving_.begin();
  NominalTrajectory& held = memory_.held;
  const Index state_dim = problem_.rollout.dynamics->state_dim();
  const Index action_dim = problem_.rollout.dynamics->action_dim();
  held.length = settings_.horizon;
  held.states.resize(memory_.nominal.states.size());
  held.actions.resize(memory_.nominal.actions.size());
  for (std::size_t i = 0; i < held.states.size(); ++i) {
    held.states[i] = problem_.state[static_cast<Index>(i) % state_dim];
  }
  for (std::size_t i = 0; i < held.actions.size(); ++i) {
    const Index dim = static_cast<Index>(i) % action_dim;
    const Index step = static_cast<Index>(i) / action_dim;
    held.actions[i] = 0.5 * problem_.low_at(step, dim) + 0.5 * problem_.high_at(step, dim);
  }
  memory_.expansion.compute_with_defects(problem_, held);
  memory_.terminal.compute(problem_, held);
  const auto regulate = [&](bool convex) {
    return memory_.backward.run(problem_, held, memory_.expansion, memory_.terminal, added_.beyond, 0.0, convex, false);
  };
  if (regulate(false) || regulate(true)) {
    count(memory_.forward.follow(problem_, added_, memory_.backward, held, 1.0, 1));
    if (memory_.forward.best_total() > memory_.nominal.total) memory_.forward.accept(problem_, memory_.nominal);
  }
  deriving_.end();
}

PlanStatus IlqrRun::improve() {
  constexpr int kMaxSlow = 3;
  slow_ = 0;
  is_checked_ = false;
  while (result_.iterations < last_iteration_) {
    if (!deriving_.in_time()) return PlanStatus::kTimeLimit;
    if (!derive()) return PlanStatus::kStalled;
    if (is_optimal()) {
      if (regularisation_.value() == 0.0 || is_checked_) {
        if (escape()) continue;
        return PlanStatus::kConverged;
      }
      // Where changes are held back they promise less.
      is_checked_ = true;
      regularisation_.reset();
      continue;
    }
    is_checked_ = false;
    if (!searching_.in_time()) return PlanStatus::kTimeLimit;
    if (!make_step() || slow_ == kMaxSlow) return PlanStatus::kStalled;
  }
  const bool is_last_optimal = deriving_.in_time() && derive() && regularisation_.value() == 0.0 && is_optimal();
  return is_last_optimal ? PlanStatus::kConverged : PlanStatus::kIterations;
}

// One iteration; false if nothing can be gained any more, however changes are held back.
bool IlqrRun::make_step() {
  const double gained = search();
  ++result_.iterations;
  if (gained > 0.0) {
    regularisation_.fall();
    is_convex_ = false;
    slow_ = gained <= little() ? slow_ + 1 : 0;
    return true;
  }
  if (is_convex_ && !regularisation_.grow()) return false;
  is_convex_ = true;
  return true;
}

double IlqrRun::little() const { return std::max(tolerance_, kRounding) * std::abs(memory_.nominal.total); }

// Whether the changes that the derivatives ask for, within the bounds, promise next to nothing: no more than the
// return or the rounding of the states leaves to be seen.
bool IlqrRun::is_optimal() const {
  // States known to 11 digits, as differences of rewards give them: a return of 0 is never nearer.
  constexpr double kSquaredRounding = 1e-22;
  const double promise = memory_.backward.promise(1.0);
  return promise <= little() || promise <= little() + kSquaredRounding * memory_.backward.magnitude(memory_.nominal);
}

// Where the reward bends much less than its expansion, as near the tip of a distance, that promises nothing however
// steep it is. There the slope alone is followed, as far as the bounds reach; returns whether that gains anything.
bool IlqrRun::escape() {
  constexpr double kSteep = 1e-3;
  constexpr double kMinGain = 1e-9;
  constexpr double kHeldBack = 1e6;
  constexpr int kTries = 4;  // of eight shares each
  BackwardPass& backward = memory_.backward;
  if (!(backward.steepness() > kSteep * std::abs(memory_.nominal.total)) || !searching_.in_time()) return false;
  searching_.begin();
  bool gained = false;
  const bool found = backward.run(problem_, memory_.nominal, memory_.expansion, memory_.terminal, added_.beyond,
                                  kHeldBack * backward.size(), true);
  const double reach = largest_change();
  for (int tried = 0; tried < kTries && found && reach > 0.0 && !gained; ++tried) {
    const double largest = std::ldexp(1.0 / reach, -tried * static_cast<int>(ForwardPass::kAtOnce));
    if (!std::isfinite(largest)) break;
    count(memory_.forward.follow(problem_, added_, backward, memory_.nominal, largest, ForwardPass::kAtOnce));
    const double gain = memory_.forward.best_total() - memory_.nominal.total;
    gained = gain > std::max(little(), kMinGain * std::abs(memory_.nominal.total));
  }
  searching_.end();
  if (gained) {
    memory_.forward.accept(problem_, memory_.nominal);
    ++result_.iterations;
    is_expanded_ = false;
  } else {
    static_cast<void>(derive());
  }
  return gained;
}

// Of the actions by the policy, in halves of the width of the bounds.
double IlqrRun::largest_change() const {
  double largest = 0.0;
  for (Index t = 0; t < memory_.nominal.length; ++t) {
    const Eigen::VectorXd& change = memory_.backward.policy(t).change;
    for (Index i = 0; i < change.size(); ++i) {
      const double half_width = 0.5 * problem_.action_high[i] - 0.5 * problem_.action_low[i];
      if (half_width > 0.0) largest = std::max(largest, std::abs(change(i)) / half_width);
    }
  }
  return largest;
}

// Expands the trajectory, unless that is done, and finds the policy; false if there is none.
bool IlqrRun::derive() {
  deriving_.begin();
  if (!is_expanded_) {
    memory_.expansion.compute(problem_, memory_.nominal);
    memory_.terminal.compute(problem_, memory_.nominal);
    if (added_.limits != nullptr) memory_.limits.expand(problem_, memory_.nominal, memory_.expansion);
  }
  is_expanded_ = true;
  has_policy_ = find_policy();
  deriving_.end();
  return has_policy_;
}

// The costs as they are where that gives a policy, as that converges fastest; else without what bends them downwards;
// else regularised.
bool IlqrRun::find_policy() {
  do {
    for (const bool convex : {false, true}) {
      if (is_convex_ && !convex) continue;
      if (find_policy(convex)) return true;
    }
  } while (regularisation_.grow());
  return false;
}

// What regularises is in units of the reward, which are known afterwards.
bool IlqrRun::find_policy(bool convex) {
  const auto run = [&] {
    return memory_.backward.run(problem_, memory_.nominal, memory_.expansion, memory_.terminal, added_.beyond,
                                unit_ * regularisation_.value(), convex);
  };
  const bool found = run();
  const double before = unit_;
  unit_ = unit_of(memory_.backward.size());
  return before == unit_ || regularisation_.value() == 0.0 ? found : run();
}

// Tries smaller and smaller shares of the step; returns what the best one gained, 0 if none gained enough.
double IlqrRun::search() {
  constexpr double kMinShareOfPromise = 1e-4;  // Armijo 1966
  searching_.begin();
  double gained = 0.0;
  for (int tried = 0; tried < settings_.step_sizes && gained == 0.0; tried += static_cast<int>(ForwardPass::kAtOnce)) {
    const int trials = std::min(settings_.step_sizes - tried, static_cast<int>(ForwardPass::kAtOnce));
    count(memory_.forward.follow(problem_, added_, memory_.backward, memory_.nominal, std::ldexp(1.0, -tried), trials));
    const double gain = memory_.forward.best_total() - memory_.nominal.total;
    const double promise = memory_.backward.promise(memory_.forward.share(memory_.forward.best()));
    if (gain > 0.0 && gain >= kMinShareOfPromise * promise) gained = gain;
  }
  if (gained > 0.0) {
    memory_.forward.accept(problem_, memory_.nominal);
    is_expanded_ = false;
  }
  searching_.end();
  return gained;
}

void IlqrRun::count(const ForwardPass::Count& counted) {
  result_.candidates += counted.candidates;
  result_.non_finite += counted.non_finite;
}

// The gains along the resulting trajectory; where there is no time to derive them, those along the one before.
void IlqrRun::write_gains() {
  if (!is_expanded_ && deriving_.in_time()) derive();
  if (!has_policy_) return;
  const Index state_dim = problem_.rollout.dynamics->state_dim();
  double* gain = result_.gains.data();
  for (Index t = 0; t < settings_.horizon; ++t) {
    const Eigen::MatrixXd& of_step = memory_.backward.policy(t).gain;
    for (Index i = 0; i < of_step.rows(); ++i) {
      for (Index d = 0; d < state_dim; ++d) *gain++ = of_step(i, d);
    }
  }
}

void IlqrRun::write_plan() {
  const NominalTrajectory& nominal = memory_.nominal;
  result_.actions.assign(nominal.actions.begin(), nominal.actions.end());
  result_.states.assign(nominal.states.begin(), nominal.states.end());
  result_.value = nominal.value;
  if (added_.limits == nullptr || memory_.limits.are_steps_allowed(problem_, nominal)) return;
  result_.rejected = result_.candidates - result_.non_finite;
  result_.value = kNone;
  result_.status = PlanStatus::kNoFiniteCandidate;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

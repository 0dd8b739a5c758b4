#include "dynaplan/planners/ilqr.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/planners/regularisation.hpp"
#include "dynaplan/planners/watch.hpp"

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

class IlqrRun {
 public:
  IlqrRun(const IlqrSettings& settings, const ExactPlanProblem& problem, const CostBeyond* beyond,
          TrajectoryMemory& memory, TrajectoryPlan& result)
      : settings_(settings),
        problem_(problem),
        added_{beyond, nullptr},
        memory_(memory),
        result_(result),
        regularisation_(settings),
        deriving_(problem.deadline),
        searching_(problem.deadline) {
    const Dynamics<double>& dynamics = *problem.rollout.dynamics;
    const Index variables = dynamics.state_dim() + 2 * dynamics.action_dim();
    require_addressable("horizon", {settings.horizon + 1, variables, variables});
    const auto actions = static_cast<std::size_t>(settings.horizon * dynamics.action_dim());
    memory.nominal.actions.resize(actions);
    memory.nominal.states.resize(static_cast<std::size_t>((settings.horizon + 1) * dynamics.state_dim()));
    memory.limits.prepare(problem, settings.horizon);
    if (!memory.limits.is_empty()) added_.limits = &memory.limits;
    memory.expansion.prepare(problem, settings.horizon);
    memory.terminal.prepare(problem);
    memory.backward.prepare(memory.expansion.whole(), settings.horizon);
    memory.forward.prepare(problem, settings.horizon);
    result.gains.assign(actions * static_cast<std::size_t>(dynamics.state_dim()), 0.0);
    result.candidates = result.non_finite = result.rejected = 0;
    result.iterations = 0;
  }

  void run() {
    count(memory_.forward.start(problem_, added_, memory_.nominal));
    start_with_feedback();
    if (added_.limits != nullptr) set_prices([&] { memory_.limits.set_units(problem_, memory_.nominal); });
    result_.status = PlanStatus::kNoFiniteCandidate;
    if (std::isfinite(memory_.nominal.total)) {
      result_.status = improve_within_limits();
      if (added_.limits != nullptr) take_best_kept();
      write_gains();
    }
    write_plan();
  }

 private:
  // Of an unstable system every open loop runs away, and from there nothing is to be learnt. The regulator of the model
  // near the first state, its actions set on the bounds, starts nearer to what can be held.
  void start_with_feedback() {
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
      return memory_.backward.run(problem_, held, memory_.expansion, memory_.terminal, added_.beyond, 0.0, convex,
                                  false);
    };
    if (regulate(false) || regulate(true)) {
      count(memory_.forward.follow(problem_, added_, memory_.backward, held, 1.0, 1));
      if (memory_.forward.best_total() > memory_.nominal.total) memory_.forward.accept(problem_, memory_.nominal);
    }
    deriving_.end();
  }

  // Improves the trajectory for prices of its limits, and the prices, until neither changes.
  PlanStatus improve_within_limits() {
    constexpr int kMaxPrices = 20;
    constexpr double kResidual = 5e-7;    // in the limits' units, less than they have of a margin
    constexpr double kTolerance = 1e-13;  // prices follow from the trajectory, not from its return
    constexpr double kEnough = 0.25;
    if (added_.limits == nullptr) return improve();
    tolerance_ = std::min(settings_.tolerance, kTolerance);
    AugmentedLagrangian& limits = memory_.limits;
    // What a violation costs at first is what actions, or the whole plan, are worth.
    static_cast<void>(derive());
    const double size = std::max(std::abs(memory_.nominal.value), memory_.backward.size());
    set_prices([&] { limits.set_weight(size > 0.0 ? size : 1.0); });
    double before = std::numeric_limits<double>::infinity();
    for (int prices = 0; prices < kMaxPrices; ++prices) {
      last_iteration_ = result_.iterations + settings_.iterations;
      const PlanStatus status = improve();
      const double residual = limits.residual(problem_, memory_.nominal);
      if (status == PlanStatus::kTimeLimit) return status;
      if (residual <= kResidual) {
        tolerance_ = settings_.tolerance;
        return is_optimal() ? PlanStatus::kConverged : status;
      }
      set_prices([&] { limits.update(problem_, memory_.nominal, residual <= kEnough * before); });
      before = residual;
    }
    return PlanStatus::kStalled;
  }

  // The return of the trajectory stays, what is charged for its limits changes.
  template <class Set>
  void set_prices(const Set& set) {
    const double cost = memory_.limits.cost(problem_, memory_.nominal);
    set();
    memory_.nominal.total += cost - memory_.limits.cost(problem_, memory_.nominal);
    is_expanded_ = false;
  }

  PlanStatus improve() {
    constexpr int kMaxSlow = 3;
    slow_ = 0;
    is_checked_ = false;
    while (result_.iterations < last_iteration_) {
      if (!deriving_.in_time()) return PlanStatus::kTimeLimit;
      if (!derive()) return PlanStatus::kStalled;
      if (is_optimal()) {
        if (regularisation_.value() == 0.0 || is_checked_) return PlanStatus::kConverged;
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
  bool make_step() {
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

  double little() const { return std::max(tolerance_, kRounding) * std::abs(memory_.nominal.total); }

  // Whether the changes that the derivatives ask for, within the bounds, promise next to nothing: no more than the
  // return or the rounding of the states leaves to be seen.
  bool is_optimal() const {
    // States known to 11 digits, as differences of rewards give them: a return of 0 is never nearer.
    constexpr double kSquaredRounding = 1e-22;
    const double promise = memory_.backward.promise(1.0);
    return promise <= little() || promise <= little() + kSquaredRounding * memory_.backward.magnitude(memory_.nominal);
  }

  // Expands the trajectory, unless that is done, and finds the policy; false if there is none.
  bool derive() {
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
  bool find_policy() {
    do {
      for (const bool convex : {false, true}) {
        if (is_convex_ && !convex) continue;
        if (find_policy(convex)) return true;
      }
    } while (regularisation_.grow());
    return false;
  }

  // What regularises is in units of the reward, which are known afterwards.
  bool find_policy(bool convex) {
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
  double search() {
    constexpr double kMinShareOfPromise = 1e-4;  // Armijo 1966
    searching_.begin();
    double gained = 0.0;
    for (int tried = 0; tried < settings_.step_sizes && gained == 0.0;
         tried += static_cast<int>(ForwardPass::kAtOnce)) {
      const int trials = std::min(settings_.step_sizes - tried, static_cast<int>(ForwardPass::kAtOnce));
      count(
          memory_.forward.follow(problem_, added_, memory_.backward, memory_.nominal, std::ldexp(1.0, -tried), trials));
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

  void count(const ForwardPass::Count& counted) {
    result_.candidates += counted.candidates;
    result_.non_finite += counted.non_finite;
  }

  // The gains along the resulting trajectory; where there is no time to derive them, those along the one before.
  void write_gains() {
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

  // Where the last trajectory does not keep the limits, or another was better, the best that does takes its place.
  void take_best_kept() {
    // The last one is within a margin of its limits, so that others on the way may be better by as much.
    constexpr double kMargin = 1e-4;
    const NominalTrajectory& kept = memory_.forward.best_kept();
    const double value = memory_.nominal.value;
    const bool is_kept = memory_.limits.is_kept(problem_, memory_.nominal);
    if (!(kept.value > (is_kept ? value + kMargin * std::abs(value) : kNone))) return;
    memory_.nominal = kept;
    is_expanded_ = has_policy_ = false;
    if (result_.status == PlanStatus::kConverged) result_.status = PlanStatus::kStalled;
  }

  void write_plan() {
    const NominalTrajectory& nominal = memory_.nominal;
    result_.actions.assign(nominal.actions.begin(), nominal.actions.end());
    result_.states.assign(nominal.states.begin(), nominal.states.end());
    result_.value = nominal.value;
    if (added_.limits == nullptr || memory_.limits.is_kept(problem_, nominal)) return;
    result_.rejected = result_.candidates - result_.non_finite;
    result_.value = kNone;
    result_.status = PlanStatus::kNoFiniteCandidate;
  }

  static constexpr double kNone = -std::numeric_limits<double>::infinity();
  const IlqrSettings& settings_;
  const ExactPlanProblem& problem_;
  AddedCosts added_;
  TrajectoryMemory& memory_;
  TrajectoryPlan& result_;
  Regularisation regularisation_;
  Watch deriving_;
  Watch searching_;
  double unit_ = 1.0;  // of rewards
  bool is_expanded_ = false;
  bool has_policy_ = false;
  double tolerance_ = settings_.tolerance;
  int slow_ = 0;  // iterations in a row that gained little
  bool is_checked_ = false;
  int last_iteration_ = settings_.iterations;
  bool is_convex_ = false;  // what bends costs downwards is left out, since the last step failed
};

}  // namespace

void IlqrSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("iterations", iterations, 1);
  require_in("step_sizes", step_sizes, 1, 64);
  require_not_negative("tolerance", tolerance);
  if (!(min_regularisation > 0.0 && min_regularisation <= max_regularisation && std::isfinite(max_regularisation))) {
    throw_value_error("min_regularisation, max_regularisation",
                      text_of(min_regularisation) + " and " + text_of(max_regularisation),
                      "finite, above 0 and in this order");
  }
  require(regularisation >= 0.0 && regularisation <= max_regularisation, "regularisation", regularisation,
          "from 0 to max_regularisation");
  require(regularisation_factor > 1.0 && std::isfinite(regularisation_factor), "regularisation_factor",
          regularisation_factor, "finite and above 1");
}

Ilqr::Ilqr(const IlqrSettings& settings) : settings_(settings) { settings.validate(); }

void Ilqr::plan(const ExactPlanProblem& problem, TrajectoryMemory& memory, TrajectoryPlan& result) const {
  run_ilqr(settings_, problem, nullptr, memory, result);
}

void run_ilqr(const IlqrSettings& settings, const ExactPlanProblem& problem, const CostBeyond* beyond,
              TrajectoryMemory& memory, TrajectoryPlan& result) {
  problem.validate();
  require_mean_prediction(problem.rollout);
  if (problem.action_acceleration != nullptr) {
    throw_value_error("limits.action_acceleration", "one",
                      "None for ILQR and LQR; put an action_change_cost in the reward, or plan by GradientPlanner");
  }
  IlqrRun(settings, problem, beyond, memory, result).run();
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

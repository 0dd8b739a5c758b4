#include "dynaplan/planners/ilqr.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Gains in the return below this share of it are rounding.
constexpr double kRounding = 1e-15;

// The unit of rewards, by what actions can change of them: 1 unless that is very far from it.
double unit_of(double size) {
  constexpr int kSmall = -20;
  constexpr int kLarge = 66;  // a model that explodes may make as much of common units
  const int exponent = size > 0.0 ? std::ilogb(size) : 0;
  return exponent < kSmall || exponent > kLarge ? std::ldexp(1.0, exponent) : 1.0;
}

// How strongly changes of the actions are held back, and how that adapts (Tassa, Erez & Todorov 2012, sec. II-F).
class Regularisation {
 public:
  explicit Regularisation(const IlqrSettings& settings) : settings_(settings), value_(settings.regularisation) {}

  double value() const { return value_; }
  // Returns false if it is as large as it may be.
  bool grow() {
    if (value_ >= settings_.max_regularisation) return false;
    factor_ = std::max(settings_.regularisation_factor, factor_ * settings_.regularisation_factor);
    value_ = std::min(std::max(settings_.min_regularisation, value_ * factor_), settings_.max_regularisation);
    return true;
  }
  void fall() {
    factor_ = std::min(1.0 / settings_.regularisation_factor, factor_ / settings_.regularisation_factor);
    value_ = value_ * factor_ >= settings_.min_regularisation ? value_ * factor_ : 0.0;
  }

 private:
  const IlqrSettings& settings_;
  double value_;
  double factor_ = 1.0;
};

// Whether there is time for another part of the work of the same kind, judging by the slowest so far.
class Watch {
 public:
  explicit Watch(const std::optional<Clock::time_point>& deadline) : deadline_(deadline) {}

  bool in_time() const { return !deadline_ || Clock::now() + slowest_ < *deadline_; }
  void begin() {
    if (deadline_) began_ = Clock::now();
  }
  void end() {
    if (deadline_) slowest_ = std::max(slowest_, Clock::now() - began_);
  }

 private:
  std::optional<Clock::time_point> deadline_;
  Clock::time_point began_;
  Clock::duration slowest_ = Clock::duration::zero();
};

class IlqrRun {
 public:
  IlqrRun(const IlqrSettings& settings, const ExactPlanProblem& problem, const CostBeyond* beyond,
          TrajectoryMemory& memory, TrajectoryPlan& result)
      : settings_(settings),
        problem_(problem),
        beyond_(beyond),
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
    memory.expansion.prepare(problem, settings.horizon);
    memory.backward.prepare(memory.expansion.whole(), settings.horizon);
    memory.forward.prepare(problem, settings.horizon);
    result.gains.assign(actions * static_cast<std::size_t>(dynamics.state_dim()), 0.0);
    result.candidates = result.non_finite = 0;
    result.iterations = 0;
  }

  void run() {
    count(memory_.forward.start(problem_, beyond_, memory_.nominal));
    result_.status = PlanStatus::kNoFiniteCandidate;
    if (std::isfinite(memory_.nominal.total)) {
      result_.status = improve();
      write_gains();
    }
    write_plan();
  }

 private:
  PlanStatus improve() {
    while (result_.iterations < settings_.iterations) {
      if (!deriving_.in_time()) return PlanStatus::kTimeLimit;
      if (!derive()) return PlanStatus::kConverged;
      const double promise = memory_.backward.promise(1.0);
      if (!(promise > kRounding * std::abs(memory_.nominal.total))) return PlanStatus::kConverged;
      if (!searching_.in_time()) return PlanStatus::kTimeLimit;
      const double gained = search();
      ++result_.iterations;
      const double little =
          settings_.tolerance * (std::abs(memory_.nominal.total) + std::min(1.0, unit_) * settings_.tolerance);
      if (gained > 0.0) {
        regularisation_.fall();
        is_convex_ = false;
        if (gained <= little) return PlanStatus::kConverged;
        continue;
      }
      if (promise <= little && is_convex_) return PlanStatus::kConverged;
      if (is_convex_ && !regularisation_.grow()) return PlanStatus::kConverged;
      is_convex_ = true;
    }
    return PlanStatus::kIterations;
  }

  // Expands the trajectory, unless that is done, and finds the policy; false if there is none.
  bool derive() {
    deriving_.begin();
    if (!is_expanded_) memory_.expansion.compute(problem_, memory_.nominal);
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
      return memory_.backward.run(problem_, memory_.nominal, memory_.expansion, beyond_,
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
      count(memory_.forward.follow(problem_, beyond_, memory_.backward, memory_.nominal, std::ldexp(1.0, -tried),
                                   trials));
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

  void write_plan() {
    const NominalTrajectory& nominal = memory_.nominal;
    result_.actions.assign(nominal.actions.begin(), nominal.actions.end());
    result_.states.assign(nominal.states.begin(), nominal.states.end());
    result_.value = nominal.total;
    if (beyond_ != nullptr) result_.value -= ForwardPass::value_beyond(problem_, *beyond_, nominal);
  }

  const IlqrSettings& settings_;
  const ExactPlanProblem& problem_;
  const CostBeyond* beyond_;
  TrajectoryMemory& memory_;
  TrajectoryPlan& result_;
  Regularisation regularisation_;
  Watch deriving_;
  Watch searching_;
  double unit_ = 1.0;  // of rewards
  bool is_expanded_ = false;
  bool has_policy_ = false;
  bool is_convex_ = false;  // what bends costs downwards is left out, since the last step failed
};

void require_mean_prediction(const RolloutProblem<double>& rollout) {
  if (rollout.particles.propagation != Propagation::kMean || rollout.particles.count != 1) {
    throw_value_error("propagation", "one that samples",
                      "'mean' with one particle: a gradient-based planner plans by the mean prediction");
  }
  if (rollout.disagreement_limit) {
    throw_value_error("disagreement_limit", "one", "None: a gradient-based planner cannot enforce it");
  }
}

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
  if (problem.action_rate != nullptr) {
    throw_value_error("limits.action_rate", "one",
                      "None for a gradient-based planner; put an action_change_cost in the reward");
  }
  if (problem.terminal_value != nullptr) {
    throw_value_error("terminal_value", "one",
                      "None for a gradient-based planner; put a rewards.terminal term in the reward");
  }
  IlqrRun(settings, problem, beyond, memory, result).run();
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

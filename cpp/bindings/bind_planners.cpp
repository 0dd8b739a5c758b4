#include <pybind11/stl.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/planners/cem.hpp"
#include "dynaplan/planners/icem.hpp"
#include "dynaplan/planners/mppi.hpp"
#include "dynaplan/planners/random_shooting.hpp"
#include "dynaplan/rollout/linear_quadratic.hpp"
#include "handles.hpp"
#include "limits.hpp"

namespace dynaplan::bindings {

namespace {

// Calls a Python function with whole trajectories. Runs outside any parallel region, so its exception just passes.
class PythonScore final : public TrajectoryScore {
 public:
  PythonScore(const py::object& function, const Dynamics<float>& dynamics)
      : function_(function), state_dim_(dynamics.state_dim()), action_dim_(dynamics.action_dim()) {}

  void score(const float* states, const float* actions, const float* known_steps, IndexType count, IndexType horizon,
             float* totals) const override {
    const py::gil_scoped_acquire acquire;
    const py::array_t<float> state_array({count, horizon + 1, state_dim_}, states);
    const py::array_t<float> action_array({count, horizon, action_dim_}, actions);
    py::object steps = py::none();
    if (known_steps != nullptr) steps = py::array_t<float>(count, known_steps);
    const py::array result = function_(state_array, action_array, steps);
    const auto* values = input<double>(result, "reward", {count});
    for (IndexType n = 0; n < count; ++n) totals[n] = static_cast<float>(values[n]);
  }

 private:
  const py::object& function_;
  IndexType state_dim_;
  IndexType action_dim_;
};

// The memory of a planner, kept between calls. One plan at a time.
class PlanMemory {
 public:
  SearchMemory search;
  PlanResult result;

  class Lease {
   public:
    explicit Lease(PlanMemory& memory) : memory_(memory) {
      if (memory.busy_.exchange(true)) {
        throw ValueError("memory: two threads plan with the same memory at once; give each its own MPC");
      }
    }
    ~Lease() { memory_.busy_ = false; }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    PlanMemory& memory_;
  };

 private:
  std::atomic<bool> busy_{false};
};

// Keeps alive, for one call, what a PlanProblem borrows.
class BoundProblem {
 public:
  BoundProblem(const DynamicsHandle& dynamics, const RewardHandle* reward, const py::object& score,
               const TerminationHandle* termination, const py::object& limits, double discount,
               const Particles& particles, const KnownGround* known_ground)
      : limits_(limits_of<float>(limits)), score_function_(score) {
    problem.rollout.dynamics = dynamics.get<float>();
    if (reward != nullptr) problem.rollout.reward = reward->get<float>();
    if (termination != nullptr) problem.rollout.termination = termination->get<float>();
    problem.rollout.limits = limits_ ? &*limits_ : nullptr;
    problem.rollout.discount = static_cast<float>(discount);
    problem.rollout.particles = particles;
    if (known_ground != nullptr) problem.rollout.known_ground = *known_ground;
    if (!score.is_none()) {
      score_.emplace(score_function_, *problem.rollout.dynamics);
      problem.score = &*score_;
    }
    problem.rollout.validate();
    linear_quadratic_ = LinearQuadraticProblem<float>::of(problem.rollout);
    if (linear_quadratic_) problem.rollout.cheaper = &linear_quadratic_->problem();
  }
  BoundProblem(const BoundProblem&) = delete;
  BoundProblem& operator=(const BoundProblem&) = delete;

  PlanProblem problem;

 private:
  std::optional<StateLimits<float>> limits_;
  py::object score_function_;
  std::optional<PythonScore> score_;
  std::unique_ptr<const LinearQuadraticProblem<float>> linear_quadratic_;
};

const char* name_of(PlanStatus status) {
  switch (status) {
    case PlanStatus::kIterations:
      return "iterations";
    case PlanStatus::kConverged:
      return "converged";
    case PlanStatus::kBudget:
      return "budget";
    case PlanStatus::kNoFiniteCandidate:
      break;
  }
  return "no_finite_candidate";
}

py::tuple plan_tuple(const PlanProblem& problem, const PlanResult& result, IndexType horizon) {
  const Dynamics<float>& dynamics = *problem.rollout.dynamics;
  const auto size = static_cast<std::size_t>(horizon * dynamics.action_dim());
  py::array_t<double> actions({horizon, dynamics.action_dim()});
  py::array_t<double> states({horizon + 1, dynamics.state_dim()});
  py::array_t<double> elites({static_cast<IndexType>(result.elites.size() / size), horizon, dynamics.action_dim()});
  PlanResult::copy_sequences(problem, result.actions, actions.mutable_data());
  PlanResult::copy_sequences(problem, result.elites, elites.mutable_data());
  std::copy(result.states.begin(), result.states.end(), states.mutable_data());
  return py::make_tuple(actions, states, result.value, name_of(result.status), elites, result.candidates,
                        result.non_finite, result.rejected, result.iterations);
}

// What changes from call to call; the arrays are borrowed for the call.
struct PlanInputs {
  const py::array& state;
  const py::array& low;
  const py::array& high;
  const py::object& warm_start;
  const py::object& elites;
  const py::object& previous_action;
  Stream stream;
  int threads;
  std::optional<Clock::time_point> deadline;

  PlanProblem into(PlanProblem problem, IndexType horizon) const {
    const IndexType action_dim = problem.rollout.dynamics->action_dim();
    problem.state = input<double>(state, "state", {problem.rollout.dynamics->state_dim()});
    problem.action_low = input<double>(low, "action_space.low", {action_dim});
    problem.action_high = input<double>(high, "action_space.high", {action_dim});
    problem.warm_start = optional_input<double>(warm_start, "warm_start", {horizon, action_dim});
    if (!elites.is_none()) {
      const auto array = py::cast<py::array>(elites);
      problem.carried.actions = input<double>(array, "elites", {-1, -1, action_dim});
      problem.carried.count = array.shape(0);
      problem.carried.steps = array.shape(1);
    }
    problem.last_action = optional_input<double>(previous_action, "previous_action", {action_dim});
    problem.stream = stream;
    problem.threads = threads;
    problem.deadline = deadline;
    return problem;
  }
};

void run(const CemSettings& planner, const PlanProblem& problem, PlanMemory& memory) {
  plan_cem(planner, problem, memory.search, memory.result);
}

void run(const RandomShootingSettings& planner, const PlanProblem& problem, PlanMemory& memory) {
  plan_random_shooting(planner, problem, memory.search, memory.result);
}

template <class Planner>
void run(const Planner& planner, const PlanProblem& problem, PlanMemory& memory) {
  planner.plan(problem, memory.search, memory.result);
}

IndexType horizon_of(const CemSettings& planner) { return planner.horizon; }
IndexType horizon_of(const RandomShootingSettings& planner) { return planner.horizon; }
template <class Planner>
IndexType horizon_of(const Planner& planner) {
  return planner.horizon();
}

// A budget beyond a day is none: a time that far need not be one that the clock can tell.
std::optional<Clock::time_point> deadline_of(std::optional<double> budget) {
  if (!budget) return std::nullopt;
  if (!(*budget > 0.0)) throw ValueError("budget: got " + std::to_string(*budget) + ", must be above 0 seconds");
  if (*budget > 86400.0) return std::nullopt;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*budget));
}

template <class Planner>
py::tuple plan(const Planner& planner, PlanMemory& memory, const BoundProblem& bound, const py::array& state,
               const py::array& low, const py::array& high, const py::object& warm_start, const py::object& elites,
               const py::object& previous_action, std::uint64_t seed, std::uint32_t call, int threads,
               std::optional<double> budget) {
  const std::optional<Clock::time_point> deadline = deadline_of(budget);
  const PlanInputs inputs{state, low, high, warm_start, elites, previous_action, {seed, call, 0}, threads, deadline};
  const PlanProblem problem = inputs.into(bound.problem, horizon_of(planner));
  const PlanMemory::Lease lease(memory);
  {
    const py::gil_scoped_release release;
    run(planner, problem, memory);
  }
  return plan_tuple(problem, memory.result, horizon_of(planner));
}

template <class Planner>
void bind_plan(py::module_& m) {
  m.def("plan", &plan<Planner>, py::arg("planner"), py::arg("memory"), py::arg("problem"), py::arg("state"),
        py::arg("low"), py::arg("high"), py::arg("warm_start").none(true), py::arg("elites").none(true),
        py::arg("previous_action").none(true), py::arg("seed"), py::arg("call"), py::arg("threads"),
        py::arg("budget").none(true));
}

void bind_icem(py::module_& m) {
  py::class_<Icem> icem(m, "Icem", py::module_local());
  icem.def(py::init([](IndexType horizon, IndexType candidates, IndexType elites, int iterations, double smoothing,
                       double initial_std, double min_std, double noise_exponent, double decay, double keep) {
             return Icem({horizon, candidates, elites, iterations, smoothing, initial_std, min_std, noise_exponent,
                          decay, keep});
           }),
           py::arg("horizon"), py::arg("candidates"), py::arg("elites"), py::arg("iterations"), py::arg("smoothing"),
           py::arg("initial_std"), py::arg("min_std"), py::arg("noise_exponent"), py::arg("decay"), py::arg("keep"));
  bind_plan<Icem>(m);
}

void bind_mppi(py::module_& m) {
  py::class_<Mppi> mppi(m, "Mppi", py::module_local());
  mppi.def(py::init([](IndexType horizon, IndexType candidates, int iterations, double std, double std_decay,
                       std::optional<double> temperature, double effective, double control_cost, IndexType knots,
                       IndexType smoothing_window) {
             return Mppi({horizon, candidates, iterations, std, std_decay, temperature, effective, control_cost, knots,
                          smoothing_window});
           }),
           py::arg("horizon"), py::arg("candidates"), py::arg("iterations"), py::arg("std"), py::arg("std_decay"),
           py::arg("temperature").none(true), py::arg("effective"), py::arg("control_cost"), py::arg("knots"),
           py::arg("smoothing_window"));
  bind_plan<Mppi>(m);
}

}  // namespace

void bind_planners(py::module_& m) {
  py::class_<PlanMemory>(m, "PlanMemory", py::module_local()).def(py::init<>());
  py::class_<BoundProblem>(m, "PlanProblem", py::module_local())
      .def(py::init<const DynamicsHandle&, const RewardHandle*, const py::object&, const TerminationHandle*,
                    const py::object&, double, const Particles&, const KnownGround*>(),
           py::arg("dynamics"), py::arg("reward").none(true), py::arg("score").none(true),
           py::arg("termination").none(true), py::arg("limits").none(true), py::arg("discount"), py::arg("particles"),
           py::arg("known_ground").none(true), py::keep_alive<1, 2>(), py::keep_alive<1, 3>(), py::keep_alive<1, 5>());
  py::class_<CemSettings> cem(m, "CemSettings", py::module_local());
  cem.def(py::init([](IndexType horizon, IndexType candidates, IndexType elites, int iterations, double smoothing,
                      double initial_std, double min_std, bool returns_mean, bool truncated, double tolerance) {
            CemSettings settings{horizon,     candidates, elites,       iterations, smoothing,
                                 initial_std, min_std,    returns_mean, truncated,  tolerance};
            settings.validate();
            return settings;
          }),
          py::arg("horizon"), py::arg("candidates"), py::arg("elites"), py::arg("iterations"), py::arg("smoothing"),
          py::arg("initial_std"), py::arg("min_std"), py::arg("returns_mean"), py::arg("truncated"),
          py::arg("tolerance"));
  bind_plan<CemSettings>(m);
  py::class_<RandomShootingSettings> random_shooting(m, "RandomShootingSettings", py::module_local());
  random_shooting.def(py::init([](IndexType horizon, IndexType candidates) {
                        RandomShootingSettings settings{horizon, candidates};
                        settings.validate();
                        return settings;
                      }),
                      py::arg("horizon"), py::arg("candidates"));
  bind_plan<RandomShootingSettings>(m);
  bind_icem(m);
  bind_mppi(m);
}

}  // namespace dynaplan::bindings

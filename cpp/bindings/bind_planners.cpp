#include <pybind11/stl.h>

#include <optional>

#include "bindings.hpp"
#include "dynaplan/planners/cem.hpp"
#include "dynaplan/planners/icem.hpp"
#include "dynaplan/planners/mppi.hpp"
#include "dynaplan/planners/random_shooting.hpp"
#include "plan_problem.hpp"

namespace dynaplan::bindings {

namespace {

py::tuple plan_tuple(const PlanProblem& problem, const PlanResult& result, IndexType horizon) {
  const Dynamics<float>& dynamics = *problem.rollout.dynamics;
  const auto size = static_cast<std::size_t>(horizon * dynamics.action_dim());
  py::array_t<double> actions({horizon, dynamics.action_dim()});
  py::array_t<double> states({horizon + 1, dynamics.state_dim()});
  py::array_t<double> elites({static_cast<IndexType>(result.elites.size() / size), horizon, dynamics.action_dim()});
  PlanResult::copy_sequences(problem, result.actions, actions.mutable_data());
  PlanResult::copy_sequences(problem, result.elites, elites.mutable_data());
  std::copy(result.states.begin(), result.states.end(), states.mutable_data());
  return py::make_tuple(actions, states, result.value, name_of(result.status), elites, py::none(), result.candidates,
                        result.non_finite, result.rejected, result.iterations);
}

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

template <class Planner>
py::tuple plan(const Planner& planner, PlanMemory& memory, const BoundProblem& bound, const py::array& state,
               const py::array& low, const py::array& high, const py::object& warm_start, const py::object& elites,
               const py::object& previous_action, std::uint64_t seed, std::uint32_t call, int threads,
               std::optional<double> budget) {
  const std::optional<Clock::time_point> deadline = deadline_of(budget);
  const PlanInputs inputs{state, low, high, warm_start, elites, previous_action, {seed, call, 0}, threads, deadline};
  const PlanProblem problem = inputs.into(bound.sampled(), horizon_of(planner));
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

#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "bindings.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/planners/action_limits.hpp"
#include "dynaplan/planners/categorical_cem.hpp"
#include "dynaplan/planners/cem.hpp"
#include "dynaplan/planners/icem.hpp"
#include "dynaplan/planners/mppi.hpp"
#include "dynaplan/planners/random_shooting.hpp"
#include "garbage.hpp"
#include "interrupt.hpp"
#include "plan_problem.hpp"

namespace dynaplan::bindings {

namespace {

template <class T>
py::tuple plan_tuple(const SamplingPlanner& planner, const PlanProblemOf<T>& problem, const PlanResult<T>& result) {
  const IndexType horizon = planner.horizon();
  const Dynamics<T>& dynamics = *problem.rollout.dynamics;
  const auto size = static_cast<std::size_t>(horizon * dynamics.action_dim());
  py::array_t<double> actions({horizon, dynamics.action_dim()});
  py::array_t<double> states({horizon + 1, dynamics.state_dim()});
  py::array_t<double> kept_sequences(
      {static_cast<IndexType>(result.kept_sequences.size() / size), horizon, dynamics.action_dim()});
  planner.copy_actions(problem, result, actions.mutable_data());
  copy_sequences(problem, horizon, result.kept_sequences, kept_sequences.mutable_data());
  std::copy(result.states.begin(), result.states.end(), states.mutable_data());
  py::object spread = py::none();
  if (!result.spread.empty()) {
    py::array_t<double> deviations({horizon, dynamics.action_dim()});
    std::copy(result.spread.begin(), result.spread.end(), deviations.mutable_data());
    spread = std::move(deviations);
  }
  return py::make_tuple(actions, states, result.value, name_of(result.status), kept_sequences, spread, py::none(),
                        result.candidates, result.non_finite, result.rejected, result.iterations);
}

// The last plan of a memory.
py::tuple plan_tuple(const SamplingPlanner& planner, const PlanProblem& problem, ExactPlanProblem exact,
                     const SamplingMemory& memory) {
  if (!memory.is_exact) return plan_tuple(planner, problem, memory.single_result);
  static_cast<PlanCall&>(exact) = problem;
  return plan_tuple(planner, exact, memory.exact_result);
}

py::tuple plan(const SamplingPlanner& planner, PlanMemory& memory, const BoundProblem& bound, const py::object& state,
               const py::object& low, const py::object& high, const py::object& step_low, const py::object& step_high,
               const py::object& warm_start, const py::object& kept_sequences, const py::object& previous_action,
               const py::object& previous_change, IndexType skip, std::uint64_t seed, std::uint32_t call, int threads,
               std::optional<double> time_limit) {
  const std::optional<Clock::time_point> deadline = deadline_of(time_limit);
  const PlanInputs inputs{state,           low, high, step_low, step_high, warm_start, kept_sequences, previous_action,
                          previous_change, skip};
  PlanProblem problem = inputs.into(bound.sampled());
  problem.stream = {seed, call, 0};
  problem.threads = threads;
  problem.deadline = deadline;
  const PythonInterrupt interrupt;
  problem.interrupt = &interrupt;
  const PlanMemory::Lease lease(memory);
  {
    const py::gil_scoped_release release;
    plan_at_needed_precision(planner, problem, bound.sampled_in_float64(), memory.sampling);
  }
  return plan_tuple(planner, problem, bound.sampled_in_float64(), memory.sampling);
}

// The deadline of the first of so many plans, one after another, that have the time until a deadline.
std::optional<Clock::time_point> share_of_time(const std::optional<Clock::time_point>& deadline, IndexType plans) {
  if (!deadline || plans <= 1) return deadline;
  const Clock::time_point now = Clock::now();
  return now + (*deadline - now) / plans;
}

// Plans of several systems at once, each on one thread; system n has the seed + n. The lists hold what `plan` takes;
// there may be one problem for all.
py::list plan_batch(const SamplingPlanner& planner, const std::vector<PlanMemory*>& memories,
                    const std::vector<const BoundProblem*>& bound, const std::vector<py::object>& states,
                    const py::object& low, const py::object& high, const py::object& step_low,
                    const py::object& step_high, const std::vector<py::object>& warm_starts,
                    const std::vector<py::object>& kept_sequences, const std::vector<py::object>& previous_actions,
                    const std::vector<py::object>& previous_changes, IndexType skip, std::uint64_t seed,
                    std::uint32_t call, int threads, std::optional<double> time_limit) {
  const std::optional<Clock::time_point> deadline = deadline_of(time_limit);
  const PythonInterrupt interrupt;
  const auto bound_of = [&](std::size_t n) -> const BoundProblem& { return *bound[std::min(n, bound.size() - 1)]; };
  const bool calls_python =
      std::any_of(bound.begin(), bound.end(), [](const auto* one) { return one->calls_python(); });
  std::vector<PlanProblem> problems;
  std::vector<std::unique_ptr<PlanMemory::Lease>> leases;
  for (std::size_t n = 0; n < memories.size(); ++n) {
    const PlanInputs inputs{
        states[n],           low, high, step_low, step_high, warm_starts[n], kept_sequences[n], previous_actions[n],
        previous_changes[n], skip};
    problems.push_back(inputs.into(bound_of(n).sampled()));
    problems.back().stream = {seed + n, call, 0};
    problems.back().interrupt = &interrupt;
    leases.push_back(std::make_unique<PlanMemory::Lease>(*memories[n]));
  }
  {
    const py::gil_scoped_release release;
    const auto count = static_cast<IndexType>(problems.size());
    const int at_once = calls_python ? 1 : usable_threads(count, threads);
    parallel_for(count, at_once, [&](IndexType number, int /*thread*/) {
      const auto n = static_cast<std::size_t>(number);
      problems[n].deadline = share_of_time(deadline, (count - number + at_once - 1) / at_once);
      plan_at_needed_precision(planner, problems[n], bound_of(n).sampled_in_float64(), memories[n]->sampling);
    });
  }
  py::list plans;
  for (std::size_t n = 0; n < problems.size(); ++n) {
    plans.append(plan_tuple(planner, problems[n], bound_of(n).sampled_in_float64(), memories[n]->sampling));
  }
  return plans;
}

// Wanted actions (H, A) within the problem's box, rates and accelerations.
py::array_t<double> limited_actions(const BoundProblem& bound, const py::object& low, const py::object& high,
                                    const py::object& step_low, const py::object& step_high,
                                    const py::object& previous_action, const py::object& previous_change,
                                    const py::array& wanted) {
  const py::object none = py::none();
  const PlanInputs inputs{none, low, high, step_low, step_high, none, none, previous_action, previous_change, 0};
  const PlanProblem problem = inputs.into(bound.sampled());
  const IndexType action_dim = problem.rollout.dynamics->action_dim();
  const auto* const actions = input<double>(wanted, "actions", {-1, action_dim});
  py::array_t<double> result({static_cast<IndexType>(wanted.shape(0)), action_dim});
  std::copy_n(actions, result.size(), result.mutable_data());
  limit_changes(problem, result.shape(0), result.mutable_data());
  return result;
}

void bind_cem(py::module_& m) {
  py::class_<Cem, SamplingPlanner> cem(m, "Cem", py::module_local());
  cem.def(py::init([](IndexType horizon, IndexType candidates, IndexType elites, int iterations, double smoothing,
                      const std::vector<double>& initial_std, double min_std, bool returns_mean, bool truncated,
                      double tolerance, const std::vector<double>& noise_exponent, IndexType knots,
                      IndexType smoothing_window) {
            return Cem({horizon,
                        candidates,
                        elites,
                        iterations,
                        smoothing,
                        ActionWidths(initial_std),
                        min_std,
                        returns_mean,
                        truncated,
                        {noise_exponent, knots, smoothing_window},
                        tolerance});
          }),
          py::arg("horizon"), py::arg("candidates"), py::arg("elites"), py::arg("iterations"), py::arg("smoothing"),
          py::arg("initial_std"), py::arg("min_std"), py::arg("returns_mean"), py::arg("truncated"),
          py::arg("tolerance"), py::arg("noise_exponent"), py::arg("knots"), py::arg("smoothing_window"));
}

void bind_random_shooting(py::module_& m) {
  py::class_<RandomShooting, SamplingPlanner> random_shooting(m, "RandomShooting", py::module_local());
  random_shooting.def(py::init([](IndexType horizon, IndexType candidates, const std::vector<double>& noise_exponent,
                                  IndexType knots, IndexType smoothing_window) {
                        return RandomShooting({horizon, candidates, {noise_exponent, knots, smoothing_window}});
                      }),
                      py::arg("horizon"), py::arg("candidates"), py::arg("noise_exponent"), py::arg("knots"),
                      py::arg("smoothing_window"));
}

void bind_icem(py::module_& m) {
  py::class_<Icem, SamplingPlanner> icem(m, "Icem", py::module_local());
  icem.def(py::init([](IndexType horizon, IndexType candidates, IndexType elites, int iterations, double smoothing,
                       const std::vector<double>& initial_std, double min_std, double population_decay,
                       double reuse_fraction, const std::vector<double>& noise_exponent, IndexType knots,
                       IndexType smoothing_window) {
             return Icem({horizon,
                          candidates,
                          elites,
                          iterations,
                          smoothing,
                          ActionWidths(initial_std),
                          min_std,
                          population_decay,
                          reuse_fraction,
                          {noise_exponent, knots, smoothing_window}});
           }),
           py::arg("horizon"), py::arg("candidates"), py::arg("elites"), py::arg("iterations"), py::arg("smoothing"),
           py::arg("initial_std"), py::arg("min_std"), py::arg("population_decay"), py::arg("reuse_fraction"),
           py::arg("noise_exponent"), py::arg("knots"), py::arg("smoothing_window"));
}

void bind_mppi(py::module_& m) {
  py::class_<Mppi, SamplingPlanner> mppi(m, "Mppi", py::module_local());
  mppi.def(py::init([](IndexType horizon, IndexType candidates, int iterations, const std::vector<double>& initial_std,
                       const std::vector<double>& std_decay, std::optional<double> temperature, bool standardise,
                       double effective_samples, double control_cost, const std::vector<double>& control_target,
                       const std::vector<double>& noise_exponent, IndexType knots, IndexType smoothing_window) {
             return Mppi({horizon,
                          candidates,
                          iterations,
                          ActionWidths(initial_std),
                          std_decay,
                          temperature,
                          standardise,
                          effective_samples,
                          control_cost,
                          control_target,
                          {noise_exponent, knots, smoothing_window}});
           }),
           py::arg("horizon"), py::arg("candidates"), py::arg("iterations"), py::arg("initial_std"),
           py::arg("std_decay"), py::arg("temperature").none(true), py::arg("standardise"),
           py::arg("effective_samples"), py::arg("control_cost"), py::arg("control_target"), py::arg("noise_exponent"),
           py::arg("knots"), py::arg("smoothing_window"));
}

void bind_categorical_cem(py::module_& m) {
  py::class_<CategoricalCem, SamplingPlanner> categorical(m, "CategoricalCem", py::module_local());
  categorical.def(
      py::init([](IndexType horizon, IndexType candidates, IndexType elites, int iterations, double smoothing,
                  double min_probability, bool returns_mode, const py::array& choices) {
        return CategoricalCem({horizon, candidates, elites, iterations, smoothing, min_probability, returns_mode},
                              matrix_input(choices, "actions"));
      }),
      py::arg("horizon"), py::arg("candidates"), py::arg("elites"), py::arg("iterations"), py::arg("smoothing"),
      py::arg("min_probability"), py::arg("returns_mode"), py::arg("choices"));
}

}  // namespace

void bind_planners(py::module_& m) {
  py::class_<PlanMemory>(m, "PlanMemory", py::module_local()).def(py::init<>());
  py::class_<BoundProblem>(m, "PlanProblem", py::module_local(), collected<BoundProblem>())
      .def(py::init([](const py::object& dynamics, const py::object& reward, const py::object& score,
                       const py::object& terminal_value, const py::object& termination, const py::object& limits,
                       const py::object& allowed, const py::tuple& constraints, const py::object& action_rate,
                       const py::object& action_acceleration, double discount, const Particles& particles,
                       const DisagreementLimit* disagreement_limit, const py::object& delay) {
             PlanParts parts{dynamics, reward, score, terminal_value, termination, constraints, delay};
             return std::make_unique<BoundProblem>(std::move(parts), limits, allowed, action_rate, action_acceleration,
                                                   discount, particles, disagreement_limit);
           }),
           py::arg("dynamics").none(false), py::arg("reward"), py::arg("score"), py::arg("terminal_value"),
           py::arg("termination"), py::arg("limits"), py::arg("allowed"), py::arg("constraints"),
           py::arg("action_rate"), py::arg("action_acceleration"), py::arg("discount"), py::arg("particles"),
           py::arg("disagreement_limit").none(true), py::arg("delay").none(true));
  py::class_<SamplingPlanner>(m, "SamplingPlanner", py::module_local());
  bind_cem(m);
  bind_random_shooting(m);
  bind_icem(m);
  bind_mppi(m);
  bind_categorical_cem(m);
  m.def("plan", &plan, py::arg("planner"), py::arg("memory"), py::arg("problem"), py::arg("state"), py::arg("low"),
        py::arg("high"), py::arg("step_low").none(true), py::arg("step_high").none(true),
        py::arg("warm_start").none(true), py::arg("kept_sequences").none(true), py::arg("previous_action").none(true),
        py::arg("previous_change").none(true), py::arg("skip"), py::arg("seed"), py::arg("call"), py::arg("threads"),
        py::arg("time_limit").none(true));
  m.def("limited_actions", &limited_actions, py::arg("problem"), py::arg("low"), py::arg("high"),
        py::arg("step_low").none(true), py::arg("step_high").none(true), py::arg("previous_action").none(true),
        py::arg("previous_change").none(true), py::arg("actions"));
  m.def("plan_batch", &plan_batch, py::arg("planner"), py::arg("memories"), py::arg("problems"), py::arg("states"),
        py::arg("low"), py::arg("high"), py::arg("step_low").none(true), py::arg("step_high").none(true),
        py::arg("warm_starts"), py::arg("kept_sequences"), py::arg("previous_actions"), py::arg("previous_changes"),
        py::arg("skip"), py::arg("seed"), py::arg("call"), py::arg("threads"), py::arg("time_limit").none(true));
}

}  // namespace dynaplan::bindings

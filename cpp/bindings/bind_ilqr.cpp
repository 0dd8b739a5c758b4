#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "bindings.hpp"
#include "dynaplan/planners/lqr.hpp"
#include "interrupt.hpp"
#include "plan_problem.hpp"
#include "watch.hpp"

namespace dynaplan::bindings {

namespace {

template <std::size_t N>
py::array_t<double> array_of(const std::vector<double>& values, const IndexType (&shape)[N]) {
  py::array_t<double> array(std::vector<py::ssize_t>(shape, shape + N));
  std::copy(values.begin(), values.end(), array.mutable_data());
  return array;
}

py::tuple plan(const GradientPlanner& planner, PlanMemory& memory, const BoundProblem& bound, const py::object& state,
               const py::object& low, const py::object& high, const py::object& step_low, const py::object& step_high,
               const py::object& warm_start, const py::object& kept_sequences, const py::object& previous_action,
               const py::object& previous_change, IndexType skip, std::uint64_t seed, std::uint32_t call, int threads,
               std::optional<double> time_limit) {
  const std::optional<Clock::time_point> deadline = deadline_of(time_limit);
  const PlanInputs inputs{state,           low, high, step_low, step_high, warm_start, kept_sequences, previous_action,
                          previous_change, skip};
  const IndexType horizon = planner.horizon();
  ExactPlanProblem problem = inputs.into(bound.exact());
  problem.stream = {seed, call, 0};
  problem.threads = threads;
  problem.deadline = deadline;
  const PythonInterrupt interrupt;
  problem.interrupt = &interrupt;
  const PlanMemory::Lease lease(memory);
  {
    const py::gil_scoped_release release;
    planner.plan(problem, memory.gradient, memory.trajectory);
  }
  const TrajectoryPlan& found = memory.trajectory;
  const IndexType state_dim = problem.rollout.dynamics->state_dim();
  const IndexType action_dim = problem.rollout.dynamics->action_dim();
  py::object gains = py::none();
  if (!found.gains.empty()) gains = array_of(found.gains, {horizon, action_dim, state_dim});
  return py::make_tuple(array_of(found.actions, {horizon, action_dim}),
                        array_of(found.states, {horizon + 1, state_dim}), found.value, name_of(found.status),
                        py::array_t<double>({IndexType{0}, horizon, action_dim}), py::none(), gains, found.candidates,
                        found.non_finite, found.rejected, found.iterations);
}

// A, B, Q, R, N, c, the targets of state and action, and the discount.
LinearQuadratic problem_of(const py::tuple& parts) {
  const auto part = [&](std::size_t i) { return parts[i].cast<py::array>(); };
  LinearQuadratic problem;
  problem.terms = {matrix_input(part(0), "A"), matrix_input(part(1), "B"), matrix_input(part(2), "Q"),
                   matrix_input(part(3), "R"), matrix_input(part(4), "N")};
  problem.constant = vector_input(part(5), "c");
  problem.set_targets(vector_input(part(6), "state_target"), vector_input(part(7), "action_target"));
  problem.discount = parts[8].cast<double>();
  return problem;
}

py::tuple regulator_tuple(const Regulator& regulator) {
  return py::make_tuple(to_array(regulator.gain), to_vector(regulator.offset), to_array(regulator.value),
                        to_vector(regulator.slope));
}

py::tuple infinite_horizon(const py::tuple& parts) {
  const LinearQuadratic problem = problem_of(parts);
  Regulator regulator;
  constexpr IndexType kManyStates = 100;  // some 50 ms
  run_watched(problem.terms.a.rows() >= kManyStates,
              [&](const Interrupt&) { regulator = infinite_horizon_regulator(problem); });
  return regulator_tuple(regulator);
}

py::list finite(const py::tuple& parts, IndexType horizon, const py::array& final_value) {
  const LinearQuadratic problem = problem_of(parts);
  const Eigen::MatrixXd final_matrix = matrix_input(final_value, "Q_final");
  const Eigen::VectorXd target = vector_input(parts[6].cast<py::array>(), "state_target");
  std::vector<Regulator> regulators;
  const PythonInterrupt interrupt;
  {
    const py::gil_scoped_release release;
    regulators = finite_regulators(problem, horizon, final_matrix, target, &interrupt);
  }
  py::list steps;
  for (const Regulator& step : regulators) {
    static_cast<void>(interrupt.requested());  // raises what a signal handler does
    steps.append(regulator_tuple(step));
  }
  return steps;
}

}  // namespace

void bind_ilqr(py::module_& m) {
  py::class_<GradientPlanner>(m, "GradientPlanner", py::module_local());
  py::class_<Ilqr, GradientPlanner> ilqr(m, "Ilqr", py::module_local());
  ilqr.def(py::init([](IndexType horizon, int iterations, double tolerance, int step_sizes, double regularisation,
                       double min_regularisation, double max_regularisation, double regularisation_factor) {
             return Ilqr({horizon, iterations, tolerance, step_sizes, regularisation, min_regularisation,
                          max_regularisation, regularisation_factor});
           }),
           py::arg("horizon"), py::arg("iterations"), py::arg("tolerance"), py::arg("step_sizes"),
           py::arg("regularisation"), py::arg("min_regularisation"), py::arg("max_regularisation"),
           py::arg("regularisation_factor"));
  py::class_<Lqr, GradientPlanner> lqr(m, "Lqr", py::module_local());
  lqr.def(py::init([](IndexType horizon, bool infinite_horizon) { return Lqr({horizon, infinite_horizon}); }),
          py::arg("horizon"), py::arg("infinite_horizon"));
  m.def("plan", &plan, py::arg("planner"), py::arg("memory"), py::arg("problem"), py::arg("state"), py::arg("low"),
        py::arg("high"), py::arg("step_low").none(true), py::arg("step_high").none(true),
        py::arg("warm_start").none(true), py::arg("kept_sequences").none(true), py::arg("previous_action").none(true),
        py::arg("previous_change").none(true), py::arg("skip"), py::arg("seed"), py::arg("call"), py::arg("threads"),
        py::arg("time_limit").none(true));
  m.def("infinite_horizon_regulator", &infinite_horizon, py::arg("problem"));
  m.def("finite_regulators", &finite, py::arg("problem"), py::arg("horizon"), py::arg("final_value"));
}

}  // namespace dynaplan::bindings

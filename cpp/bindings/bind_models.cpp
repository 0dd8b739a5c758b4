#include <pybind11/stl.h>

#include <tuple>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/core/dense.hpp"
#include "dynaplan/models/angle_dynamics.hpp"
#include "dynaplan/models/jacobians.hpp"
#include "dynaplan/models/linear.hpp"
#include "dynaplan/models/residual_dynamics.hpp"
#include "dynaplan/models/shift_dynamics.hpp"
#include "garbage.hpp"
#include "handles.hpp"
#include "interrupt.hpp"
#include "query.hpp"

namespace dynaplan::bindings {

namespace {

py::tuple jacobians_of(const DynamicsHandle& dynamics, const py::array& states, const py::array& actions, int threads) {
  const IndexType state_dim = dynamics.float64->state_dim();
  const IndexType action_dim = dynamics.float64->action_dim();
  const PythonInterrupt interrupt;
  const StepQuery query = query_of(states, actions, state_dim, action_dim, threads, interrupt);
  py::array_t<double> next({query.count, state_dim});
  py::array_t<double> state({query.count, state_dim, state_dim});
  py::array_t<double> action({query.count, state_dim, action_dim});
  const Jacobians out{next.mutable_data(), state.mutable_data(), action.mutable_data()};
  {
    const py::gil_scoped_release release;
    jacobians(*dynamics.float64, query, out);
  }
  return py::make_tuple(next, state, action);
}

// s' = A s + B a + c + L z; the sizes are checked in Python.
DynamicsHandle linear_dynamics(const py::array& weights, const py::array& constant, const py::array& noise_factor) {
  const Eigen::MatrixXd coefficients = matrix_input(weights, "A, B");
  const Eigen::VectorXd intercept = vector_input(constant, "c");
  const Eigen::MatrixXd noise = matrix_input(noise_factor, "noise");
  const PolynomialFeatures features(coefficients.cols(), 1);
  const IndexType state_dim = coefficients.rows();
  return {std::make_shared<const LinearDynamics<float>>(state_dim, features, coefficients, intercept, noise),
          std::make_shared<const LinearDynamics<double>>(state_dim, features, coefficients, intercept, noise)};
}

DynamicsHandle residual_dynamics(const py::object& prior, const py::object& rest) {
  const auto& known = prior.cast<const DynamicsHandle&>();
  const auto& learned = rest.cast<const DynamicsHandle&>();
  return {std::make_shared<const ResidualDynamics<float>>(known.float32, learned.float32),
          std::make_shared<const ResidualDynamics<double>>(known.float64, learned.float64),
          py::make_tuple(prior, rest)};
}

// The same dynamics with angles, each (state, low, high, period).
DynamicsHandle angle_dynamics(const DynamicsHandle& dynamics,
                              const std::vector<std::tuple<IndexType, double, double, double>>& angles,
                              bool sine_cosine) {
  Angles states;
  for (const auto& [state, low, high, period] : angles) states.push_back({state, low, high, period});
  const AngleInputs inputs = sine_cosine ? AngleInputs::kSineCosine : AngleInputs::kThemselves;
  return {std::make_shared<const AngleDynamics<float>>(dynamics.float32, states, inputs),
          std::make_shared<const AngleDynamics<double>>(dynamics.float64, states, inputs), dynamics.owned};
}

// The same dynamics with states that are exact shifts, each (state, source, whether that is an action).
DynamicsHandle shift_dynamics(const DynamicsHandle& dynamics,
                              const std::vector<std::tuple<IndexType, IndexType, bool>>& known) {
  std::vector<Shift> shifts;
  shifts.reserve(known.size());
  for (const auto& [state, source, is_action] : known) shifts.push_back({state, source, is_action});
  return {std::make_shared<const ShiftDynamics<float>>(dynamics.float32, shifts),
          std::make_shared<const ShiftDynamics<double>>(dynamics.float64, shifts), dynamics.owned};
}

}  // namespace

void bind_models(py::module_& m) {
  py::class_<DynamicsHandle>(m, "Dynamics", py::module_local(), collected<DynamicsHandle>())
      .def_property_readonly("state_dim", [](const DynamicsHandle& self) { return self.float64->state_dim(); })
      .def_property_readonly("action_dim", [](const DynamicsHandle& self) { return self.float64->action_dim(); });
  m.def("linear_dynamics", &linear_dynamics, py::arg("weights"), py::arg("constant"), py::arg("noise_factor"));
  m.def("residual_dynamics", &residual_dynamics, py::arg("prior"), py::arg("rest"));
  m.def("angle_dynamics", &angle_dynamics, py::arg("dynamics"), py::arg("angles"), py::arg("sine_cosine"));
  m.def("shift_dynamics", &shift_dynamics, py::arg("dynamics"), py::arg("known"));
  m.def(
      "matrix_exponential",
      [](const py::array& matrix) { return to_array(exponential(matrix_input(matrix, "matrix"))); }, py::arg("matrix"));
  m.def("jacobians", &jacobians_of, py::arg("dynamics"), py::arg("states"), py::arg("actions"), py::arg("threads"));
}

}  // namespace dynaplan::bindings

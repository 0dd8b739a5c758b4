#include "bindings.hpp"
#include "dynaplan/models/jacobians.hpp"
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

}  // namespace

void bind_models(py::module_& m) {
  py::class_<DynamicsHandle>(m, "Dynamics", py::module_local(), collected<DynamicsHandle>())
      .def_property_readonly("state_dim", [](const DynamicsHandle& self) { return self.float64->state_dim(); })
      .def_property_readonly("action_dim", [](const DynamicsHandle& self) { return self.float64->action_dim(); });
  m.def("jacobians", &jacobians_of, py::arg("dynamics"), py::arg("states"), py::arg("actions"), py::arg("threads"));
}

}  // namespace dynaplan::bindings

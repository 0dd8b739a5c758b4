#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/models/jacobians.hpp"
#include "handles.hpp"

namespace dynaplan::bindings {

namespace {

py::tuple jacobians_of(const DynamicsHandle& dynamics, const py::array& states, const py::array& actions, int threads) {
  const IndexType state_dim = dynamics.float64->state_dim();
  const IndexType action_dim = dynamics.float64->action_dim();
  JacobianBatch batch;
  batch.states = input<double>(states, "states", {-1, state_dim});
  batch.count = states.shape(0);
  batch.actions = input<double>(actions, "actions", {batch.count, action_dim});
  batch.threads = threads;
  py::array_t<double> next({batch.count, state_dim});
  py::array_t<double> state({batch.count, state_dim, state_dim});
  py::array_t<double> action({batch.count, state_dim, action_dim});
  batch.next = next.mutable_data();
  batch.state = state.mutable_data();
  batch.action = action.mutable_data();
  {
    const py::gil_scoped_release release;
    jacobians(*dynamics.float64, batch);
  }
  return py::make_tuple(next, state, action);
}

}  // namespace

void bind_models(py::module_& m) {
  py::class_<DynamicsHandle>(m, "Dynamics", py::module_local())
      .def_property_readonly("state_dim", [](const DynamicsHandle& self) { return self.float64->state_dim(); })
      .def_property_readonly("action_dim", [](const DynamicsHandle& self) { return self.float64->action_dim(); });
  m.def("jacobians", &jacobians_of, py::arg("dynamics"), py::arg("states"), py::arg("actions"), py::arg("threads"));
}

}  // namespace dynaplan::bindings

#include "bindings.hpp"
#include "handles.hpp"

namespace dynaplan::bindings {

void bind_models(pybind11::module_& m) {
  namespace py = pybind11;
  py::class_<DynamicsHandle>(m, "Dynamics", py::module_local())
      .def_property_readonly("state_dim", [](const DynamicsHandle& self) { return self.float64->state_dim(); })
      .def_property_readonly("action_dim", [](const DynamicsHandle& self) { return self.float64->action_dim(); });
}

}  // namespace dynaplan::bindings

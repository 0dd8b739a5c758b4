#include <cstdint>
#include <memory>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/models/c_function.hpp"
#include "dynaplan/rewards/c_function.hpp"
#include "dynaplan/terminations/c_function.hpp"
#include "handles.hpp"
#include "python_dynamics.hpp"

namespace dynaplan::bindings {

namespace {

template <template <class> class Signature>
CFunction<Signature> function_at(std::uintptr_t address, bool float64, std::uintptr_t user_data) {
  // NOLINTBEGIN(performance-no-int-to-ptr): an address is what Python has of a compiled function
  auto* const data = reinterpret_cast<void*>(user_data);
  if (float64) return {reinterpret_cast<Signature<double>*>(address), data, nullptr};
  return {reinterpret_cast<Signature<float>*>(address), data, nullptr};
  // NOLINTEND(performance-no-int-to-ptr)
}

template <class Made, template <class> class Kind, template <class> class Signature>
Made made_of(std::uintptr_t address, bool float64, std::uintptr_t user_data, const py::object& owner,
             IndexType state_dim, IndexType action_dim) {
  const auto function = function_at<Signature>(address, float64, user_data);
  return {std::make_shared<const Kind<float>>(function, state_dim, action_dim),
          std::make_shared<const Kind<double>>(function, state_dim, action_dim), owner};
}

template <class Made, template <class> class Kind, template <class> class Signature>
void bind_compiled(py::module_& m, const char* name) {
  m.def(name, &made_of<Made, Kind, Signature>, py::arg("address"), py::arg("float64"), py::arg("user_data"),
        py::arg("owner").none(true), py::arg("state_dim"), py::arg("action_dim"));
}

DynamicsHandle python_dynamics(const py::object& function, IndexType state_dim, IndexType action_dim) {
  return {std::make_shared<const PythonDynamics<float>>(function, state_dim, action_dim),
          std::make_shared<const PythonDynamics<double>>(function, state_dim, action_dim), function};
}

}  // namespace

void bind_functions(py::module_& m) {
  bind_compiled<RewardHandle, CFunctionReward, RewardSignature>(m, "compiled_reward");
  bind_compiled<TerminationHandle, CFunctionTermination, TerminationSignature>(m, "compiled_termination");
  bind_compiled<DynamicsHandle, CFunctionDynamics, DynamicsSignature>(m, "compiled_dynamics");
  m.def("python_dynamics", &python_dynamics, py::arg("function"), py::arg("state_dim"), py::arg("action_dim"));
}

}  // namespace dynaplan::bindings

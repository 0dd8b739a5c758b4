#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/terminations/outside.hpp"
#include "handles.hpp"

namespace dynaplan::bindings {

void bind_terminations(py::module_& m) {
  py::class_<TerminationHandle>(m, "Termination", py::module_local());
  m.def(
      "outside_termination",
      [](const py::array& low, const py::array& high) {
        const Eigen::VectorXd lowest = vector_input(low, "low");
        const Eigen::VectorXd highest = vector_input(high, "high");
        return TerminationHandle{std::make_shared<const Outside<float>>(lowest, highest),
                                 std::make_shared<const Outside<double>>(lowest, highest)};
      },
      py::arg("low"), py::arg("high"));
}

}  // namespace dynaplan::bindings

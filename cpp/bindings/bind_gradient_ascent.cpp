#include <pybind11/stl.h>

#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/planners/gradient_ascent.hpp"

namespace dynaplan::bindings {

void bind_gradient_ascent(py::module_& m) {
  py::class_<GradientAscent, GradientPlanner> ascent(m, "GradientAscent", py::module_local());
  ascent.def(
      py::init([](IndexType horizon, IndexType candidates, int iterations, double learning_rate,
                  const std::vector<double>& initial_std, double tolerance) {
        return GradientAscent({horizon, candidates, iterations, learning_rate, ActionWidths(initial_std), tolerance});
      }),
      py::arg("horizon"), py::arg("candidates"), py::arg("iterations"), py::arg("learning_rate"),
      py::arg("initial_std"), py::arg("tolerance"));
}

}  // namespace dynaplan::bindings

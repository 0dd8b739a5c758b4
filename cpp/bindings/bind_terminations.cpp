#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/rollout/score_steps.hpp"
#include "dynaplan/terminations/box.hpp"
#include "dynaplan/terminations/learned.hpp"
#include "dynaplan/terminations/two_links.hpp"
#include "garbage.hpp"
#include "handles.hpp"
#include "interrupt.hpp"
#include "network_handle.hpp"
#include "steps.hpp"

namespace dynaplan::bindings {

namespace {

template <template <class> class Kind, class... Arguments>
TerminationHandle both(const Arguments&... arguments) {
  return {std::make_shared<const Kind<float>>(arguments...), std::make_shared<const Kind<double>>(arguments...)};
}

template <template <class> class Kind>
TerminationHandle of_box(const py::array& low, const py::array& high) {
  return both<Kind>(vector_input(low, "low"), vector_input(high, "high"));
}

py::array_t<bool> ended(const TerminationHandle& termination, const py::array& states, const py::array& actions,
                        const py::array& next_states, const py::object& steps) {
  StepBatch batch = steps_of(states, actions, next_states, steps);
  const PythonInterrupt interrupt;
  batch.interrupt = &interrupt;
  py::array_t<bool> ends(batch.count);
  end_steps(*termination.float64, batch, ends.mutable_data());
  return ends;
}

}  // namespace

void bind_terminations(py::module_& m) {
  py::class_<TerminationHandle>(m, "Termination", py::module_local(), collected<TerminationHandle>())
      .def("ended", &ended, py::arg("states"), py::arg("actions"), py::arg("next_states"),
           py::arg("steps") = py::none());
  m.def("outside_termination", &of_box<Outside>, py::arg("low"), py::arg("high"));
  m.def("inside_termination", &of_box<Inside>, py::arg("low"), py::arg("high"));
  m.def(
      "learned_termination",
      [](const NetworkHandle& networks, double threshold) {
        return both<LearnedTermination>(networks.parameters, threshold);
      },
      py::arg("networks"), py::arg("threshold"));
  m.def("double_pendulum_termination", [] { return both<TwoLinksWithin>(kInvertedDoublePendulum, 1.0); });
  m.def("acrobot_termination", [] { return both<TwoLinksWithin>(kAcrobot, -1.0); });
}

}  // namespace dynaplan::bindings

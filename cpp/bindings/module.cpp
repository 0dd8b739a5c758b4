#include "bindings.hpp"

// The contents of the compiled module, one line a folder.
// Says nothing of running without the GIL, so that a free-threaded Python keeps it: that was never tested.
PYBIND11_MODULE(DYNAPLAN_MODULE, m) {
  namespace bindings = dynaplan::bindings;
  m.doc() = "The compiled core of dynaplan; use the package `dynaplan` instead.";
  bindings::bind_core(m);
  bindings::bind_models(m);
  bindings::bind_rewards(m);
  bindings::bind_networks(m);
  bindings::bind_terminations(m);
  bindings::bind_functions(m);
  bindings::bind_fit(m);
  bindings::bind_gaussian_process(m);
  bindings::bind_training(m);
  bindings::bind_rollout(m);
  bindings::bind_imagination(m);
  bindings::bind_planners(m);
  bindings::bind_ilqr(m);
  bindings::bind_gradient_ascent(m);
  bindings::bind_sac(m);
  bindings::bind_tabular(m);
}

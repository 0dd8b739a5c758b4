#pragma once

#include <pybind11/pybind11.h>

namespace dynaplan::bindings {

// One function a folder of the core, in the order module.cpp calls them.
void bind_core(pybind11::module_& m);
void bind_models(pybind11::module_& m);
void bind_rewards(pybind11::module_& m);
void bind_terminations(pybind11::module_& m);
void bind_functions(pybind11::module_& m);
void bind_networks(pybind11::module_& m);
void bind_fit(pybind11::module_& m);
void bind_gaussian_process(pybind11::module_& m);
void bind_training(pybind11::module_& m);
void bind_rollout(pybind11::module_& m);
void bind_imagination(pybind11::module_& m);
void bind_planners(pybind11::module_& m);
void bind_ilqr(pybind11::module_& m);
void bind_gradient_ascent(pybind11::module_& m);
void bind_sac(pybind11::module_& m);
void bind_tabular(pybind11::module_& m);

}  // namespace dynaplan::bindings

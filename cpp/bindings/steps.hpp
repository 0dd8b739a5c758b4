#pragma once

#include "arrays.hpp"
#include "dynaplan/rollout/score_steps.hpp"

namespace dynaplan::bindings {

// Steps whose arrays the caller keeps alive.
inline StepBatch steps_of(const py::array& states, const py::array& actions, const py::array& next_states,
                          const py::object& steps) {
  StepBatch batch;
  batch.states = input<double>(states, "states", {-1, -1});
  batch.actions = input<double>(actions, "actions", {states.shape(0), -1});
  batch.next_states = input<double>(next_states, "next_states", {states.shape(0), states.shape(1)});
  batch.steps = optional_input<std::int64_t>(steps, "steps", {states.shape(0)});
  batch.count = states.shape(0);
  batch.state_dim = states.shape(1);
  batch.action_dim = actions.shape(1);
  return batch;
}

}  // namespace dynaplan::bindings

#pragma once

#include "arrays.hpp"
#include "dynaplan/models/step_query.hpp"

namespace dynaplan::bindings {

// A query whose arrays the caller keeps alive, and `interrupt`.
inline StepQuery query_of(const py::array& states, const py::array& actions, IndexType state_dim, IndexType action_dim,
                          int threads, const Interrupt& interrupt) {
  StepQuery query;
  query.states = input<double>(states, "states", {-1, state_dim});
  query.actions = input<double>(actions, "actions", {states.shape(0), action_dim});
  query.count = states.shape(0);
  query.state_dim = state_dim;
  query.action_dim = action_dim;
  query.threads = threads;
  query.interrupt = &interrupt;
  return query;
}

}  // namespace dynaplan::bindings

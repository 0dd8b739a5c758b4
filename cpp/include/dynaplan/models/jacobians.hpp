#pragma once

#include "dynaplan/models/dynamics.hpp"
#include "dynaplan/models/step_query.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Where mean predictions and their derivatives go, row-major as in Python.
struct Jacobians {
  double* next = nullptr;    // (count, S)
  double* state = nullptr;   // (count, S, S): of next state d by state i
  double* action = nullptr;  // (count, S, A)
};

/// Mean predictions with their exact derivatives; throws Error if the dynamics have none.
void jacobians(const Dynamics<double>& dynamics, const StepQuery& query, const Jacobians& out);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

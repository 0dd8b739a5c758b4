#pragma once

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Many linearisations, arrays row-major as in Python.
struct JacobianBatch {
  const double* states = nullptr;   // (count, S)
  const double* actions = nullptr;  // (count, A)
  Index count = 0;
  int threads = 1;
  double* next = nullptr;    // (count, S)
  double* state = nullptr;   // (count, S, S): of next state d by state i
  double* action = nullptr;  // (count, S, A)
};

/// Mean predictions with their exact derivatives; throws Error if the dynamics have none.
void jacobians(const Dynamics<double>& dynamics, const JacobianBatch& batch);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

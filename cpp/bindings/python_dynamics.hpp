#pragma once

#include <algorithm>

#include "arrays.hpp"
#include "dynaplan/models/central_differences.hpp"

namespace dynaplan::bindings {

// Dynamics that are a Python function of whole batches, (N, S) and (N, A) to (N, S), all float64. It is handed all
// candidates of an iteration at once, since a call costs more than their arithmetic; the GIL is taken for each call.
// The function is borrowed: whoever holds the dynamics keeps it alive.
template <class T>
class PythonDynamics final : public Dynamics<T> {
 public:
  PythonDynamics(py::handle function, IndexType state_dim, IndexType action_dim)
      : function_(function), state_dim_(state_dim), action_dim_(action_dim) {}

  IndexType state_dim() const override { return state_dim_; }
  IndexType action_dim() const override { return action_dim_; }
  // A bound on the memory of a block; no call is worth more lanes.
  IndexType max_lanes() const override { return 16384; }
  // Its time is Python's.
  bool gains_from_float32() const override { return false; }
  bool takes_differences() const override { return true; }
  std::size_t workspace_bytes(IndexType /*lanes*/) const override { return 0; }

  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& /*workspace*/,
            Block<T> next) const override {
    const IndexType count = draw.candidates > 0 ? draw.candidates : state.lanes;
    const py::gil_scoped_acquire acquire;
    const py::array result = function_(rows_of(state, count), rows_of(action, count));
    const auto* const values = input<double>(result, "model", {count, state_dim_});
    for (IndexType i = 0; i < state_dim_; ++i) {
      T* const row = next.row(i);
      for (IndexType k = 0; k < count; ++k) row[k] = static_cast<T>(values[k * state_dim_ + i]);
      std::fill(row + count, row + next.lanes, row[count - 1]);
    }
  }

  std::size_t jacobians_workspace_bytes(IndexType lanes) const override {
    return central_differences_bytes(*this, lanes);
  }
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override {
    central_differences(*this, state, action, workspace, out);
  }

 private:
  py::handle function_;
  IndexType state_dim_;
  IndexType action_dim_;
};

}  // namespace dynaplan::bindings

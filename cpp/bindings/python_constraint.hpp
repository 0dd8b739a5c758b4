#pragma once

#include "arrays.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan::bindings {

// A constraint that is a Python function, as planners that go by derivatives ask for it: those that sample have it in
// their score. What stands for the function has `values` of batches, (N, S), (N, A), (N, S) and the step, to (N), all
// float64, and `takes_step`. It is borrowed; never called in a parallel region, so that its exception just passes.
template <class T>
class PythonConstraint final : public Reward<T> {
 public:
  explicit PythonConstraint(py::handle function)
      : function_(function), takes_step_(function.attr("takes_step").cast<bool>()) {}

  std::size_t workspace_bytes(IndexType /*lanes*/) const override { return 0; }
  UseOfStep use_of_step() const override { return takes_step_ ? UseOfStep::kOptional : UseOfStep::kNone; }
  void require_dims(IndexType /*state_dim*/, IndexType /*action_dim*/) const override {}

  void add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const override {
    const IndexType count = view.state.lanes;
    const py::gil_scoped_acquire acquire;
    const py::array result = function_.attr("values")(rows_of(view.state, count), rows_of(view.action, count),
                                                      rows_of(view.next, count), view.step);
    const auto* const values = input<double>(result, "constraint", {count});
    for (IndexType k = 0; k < count; ++k) total[k] += static_cast<T>(values[k]);
  }

 private:
  py::handle function_;
  bool takes_step_;
};

}  // namespace dynaplan::bindings

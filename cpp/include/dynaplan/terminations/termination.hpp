#pragma once

#include "dynaplan/core/jumps.hpp"
#include "dynaplan/core/step_view.hpp"
#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// When an episode ends: the rewards after it no longer count. Immutable once built, const and thread-safe.
template <class T>
class Termination {
 public:
  virtual ~Termination() = default;
  /// Scratch that one `mark` of `lanes` trajectories takes.
  virtual std::size_t workspace_bytes(Index /*lanes*/) const { return 0; }
  /// Sets `alive` (K) to 0 in the lanes that end with the step.
  virtual void mark(const StepView<T>& view, Workspace& workspace, T* alive) const = 0;
  /// Throws ShapeError unless the termination fits states and actions of these sizes.
  virtual void require_dims(Index state_dim, Index action_dim) const = 0;
  /// Whether it computes in float32 whatever it is asked in.
  virtual bool is_float32() const { return false; }
  /// Whether it may depend on the step.
  virtual bool uses_step() const { return false; }
  /// Adds where an episode ends.
  virtual void add_jumps(Jumps& jumps) const = 0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A termination by states that follow others, such as those of a system whose queue of actions comes first. It is
/// borrowed.
template <class T>
class LaterStatesTermination final : public Termination<T> {
 public:
  /// `first` is the number of entries before.
  LaterStatesTermination(const Termination<T>& termination, Index first) : termination_(termination), first_(first) {}

  std::size_t workspace_bytes(Index lanes) const override { return termination_.workspace_bytes(lanes); }
  void mark(const StepView<T>& view, Workspace& workspace, T* alive) const override {
    termination_.mark(later_states(view, first_), workspace, alive);
  }
  void require_dims(Index state_dim, Index action_dim) const override {
    termination_.require_dims(state_dim - first_, action_dim);
  }
  bool is_float32() const override { return termination_.is_float32(); }
  bool uses_step() const override { return termination_.uses_step(); }
  void add_jumps(Jumps& jumps) const override { add_later_jumps(termination_, first_, jumps); }

 private:
  const Termination<T>& termination_;
  Index first_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

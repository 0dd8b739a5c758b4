#pragma once

#include <vector>

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How late each action acts: what acts in step k is (1 - fraction) a[k - steps] + fraction a[k - steps - 1], the mean
/// over the step of an input that is held in between (Astrom & Wittenmark 1997, "Computer-controlled systems",
/// sec. 2.3). That is exact for an integrator, and of first order in the length of a step otherwise.
struct ActionDelay {
  std::vector<Index> steps;       // (A)
  std::vector<double> fractions;  // (A) in [0, 1)

  /// How many earlier values of an action act from now on.
  Index queued(Index action) const {
    const auto i = static_cast<std::size_t>(action);
    return steps[i] + (fractions[i] > 0.0 ? 1 : 0);
  }
  /// Of all actions.
  Index queued() const;
  /// Throws ShapeError, ValueError unless there is one for each of the model's actions, within range.
  void validate(Index action_dim) const;
};

/// Dynamics whose actions act late. The state begins with the queue of the actions under way, those of each entry one
/// after another, the newest first; the state of the dynamics themselves follows. They are borrowed.
template <class T>
class DelayedDynamics final : public Dynamics<T> {
 public:
  /// Throws ShapeError, ValueError.
  DelayedDynamics(const Dynamics<T>& dynamics, ActionDelay delay);

  /// Entries of the state before that of the dynamics.
  Index queue_dim() const { return queue_dim_; }

  Index state_dim() const override { return queue_dim_ + dynamics_.state_dim(); }
  Index action_dim() const override { return dynamics_.action_dim(); }
  Index output_dim() const override { return queue_dim_ + dynamics_.output_dim(); }
  Index members() const override { return dynamics_.members(); }
  Index max_lanes() const override { return dynamics_.max_lanes(); }
  bool gains_from_float32() const override { return dynamics_.gains_from_float32(); }
  bool is_float32() const override { return dynamics_.is_float32(); }
  bool may_jump() const override { return dynamics_.may_jump(); }
  bool takes_differences() const override { return dynamics_.takes_differences(); }
  const Angles* angles() const override { return angles_.empty() ? nullptr : &angles_; }
  std::size_t workspace_bytes(Index lanes) const override;
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;
  std::optional<LinearTerms> linear_terms() const override;
  void disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const override;
  std::size_t jacobians_workspace_bytes(Index lanes) const override;
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override;

 private:
  // A part of an action that acts: an entry of the queue, or the action that is sent, with its share.
  struct Part {
    Index entry;  // of the queue; negative: the action sent
    double share;
  };
  // What acts of an action: one part, or two.
  struct Parts {
    Part newer;
    Part older;
    bool are_two;
  };

  void act(ConstBlock<T> state, ConstBlock<T> action, Block<T> acting) const;
  void shift(ConstBlock<T> state, ConstBlock<T> action, Block<T> next) const;
  template <class Visit>
  void for_each_part(Index action, const Visit& visit) const {
    const Parts& parts = parts_[static_cast<std::size_t>(action)];
    visit(parts.newer);
    if (parts.are_two) visit(parts.older);
  }

  const Dynamics<T>& dynamics_;
  ActionDelay delay_;
  std::vector<Index> first_;  // (A) entry of the queue where an action's begin
  std::vector<Parts> parts_;  // (A)
  Index queue_dim_;
  Angles angles_;
};

extern template class DelayedDynamics<float>;
extern template class DelayedDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <vector>

#include "dynaplan/core/jumps.hpp"
#include "dynaplan/core/step_view.hpp"
#include "dynaplan/rewards/expansion.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// -(s - target)^T W (s - target).
struct QuadraticTerm {
  Eigen::MatrixXd weights;
  Eigen::VectorXd target;
  At at;
};

/// What a reward makes of a step's place on the horizon, in ascending order.
enum class UseOfStep {
  kNone,
  kOptional,      // may be given none, which counts as step 0: an opaque function
  kNeedsStep,     // has no value without
  kNeedsHorizon,  // nor without the number of steps in all
};

template <class T>
class Reward;

/// A reward whose terms are each either quadratic in one state or a function of the actions alone.
template <class T>
struct RewardParts {
  std::vector<QuadraticTerm> of_states;
  std::vector<const Reward<T>*> of_actions;
};

/// A reward of each lane's step: larger is better. Immutable once built, const and thread-safe.
template <class T>
class Reward {
 public:
  virtual ~Reward() = default;
  /// Scratch that one `add` of `lanes` trajectories takes.
  virtual std::size_t workspace_bytes(Index lanes) const = 0;
  /// Adds each lane's reward to `total` (K), aligned like a row of a block.
  virtual void add(const StepView<T>& view, Workspace& workspace, T* total) const = 0;
  /// Throws ShapeError unless the reward fits states and actions of these sizes.
  virtual void require_dims(Index state_dim, Index action_dim) const = 0;
  /// Adds this reward's parts; returns false if it is not made of such parts.
  virtual bool take_apart(RewardParts<T>& /*parts*/) const { return false; }
  /// Whether the reward is one that the model must predict.
  virtual bool needs_prediction() const { return false; }
  /// Whether it computes in float32 whatever it is asked in.
  virtual bool is_float32() const { return false; }
  /// Whether the reward depends on the step.
  virtual UseOfStep use_of_step() const { return UseOfStep::kNone; }
  /// Whether the reward looks at the action one step earlier.
  virtual bool needs_previous_action() const { return false; }
  /// Adds where the reward jumps, if it does.
  virtual void add_jumps(Jumps& /*jumps*/) const {}

  /// Whether `expand` gives the derivatives. Where not, planners that want them take differences of `add`.
  virtual bool has_derivatives() const { return false; }
  /// Scratch that one `expand` over so many variables takes.
  virtual std::size_t expansion_bytes(Index /*variables*/) const { return 0; }
  /// Adds the reward of one step, its gradient and its Hessian. Where it is not differentiable, those of one side. A
  /// distance has another Hessian, that of a quadratic which is nowhere above the reward.
  virtual void expand(const StepVariables<T>& /*step*/, Workspace& /*workspace*/, RewardExpansion<T>& /*out*/) const {}
  /// Whether the reward is a polynomial of degree 2 at most of the step's variables, for actions in [low, high] (A).
  virtual bool is_quadratic(const double* /*action_low*/, const double* /*action_high*/) const { return false; }
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "dynaplan/core/angles.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/random.hpp"
#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How a distribution of next states is carried from step to step (Chua et al. 2018, sec. 5).
enum class Propagation {
  kMean,    // the mean prediction, of all members
  kSample,  // a draw from the predictive distribution
  kTs1,     // a draw from one member, a member drawn for each particle and step
  kTsInf,   // a draw from one member, the same for a particle throughout
  kMoment,  // a draw, then the particles replaced by draws from the Gaussian of their mean and variance
};

/// The randomness of one step of one block of one particle: which numbers, and what they are wanted for.
struct Draw {
  Stream stream;
  Index first_candidate = 0;
  Index step = 0;
  Propagation propagation = Propagation::kMean;
  Index particle = 0;
  Index particles = 1;
  Index candidates = 0;  // lanes whose results count, all of them if 0; those beyond only fill up a vector
};

/// Standard normals for one particle's step, `out.dim` a candidate, whatever was drawn for the others.
template <class T>
void fill_normal(const Draw& draw, Purpose purpose, Block<T> out) {
  const Index drawn_before = (draw.step * draw.particles + draw.particle) * normal_rows(out.dim);
  fill_normal(draw.stream, purpose, draw.first_candidate, drawn_before, out);
}

/// s' = A s + B a + c.
struct LinearTerms {
  Eigen::MatrixXd state;     // A (S, S)
  Eigen::MatrixXd action;    // B (S, A)
  Eigen::VectorXd constant;  // c (S)
};

/// Where the derivatives of a step go: `next` (S, K), row d of it with respect to state i in row d * S + i of `state`
/// (S * S, K), to action j in row d * A + j of `action` (S * A, K).
template <class T>
struct JacobianBlock {
  Block<T> next;
  Block<T> state;
  Block<T> action;
};

/// How states follow from states and actions. Immutable once built, const and thread-safe; final classes below.
template <class T>
class Dynamics {
 public:
  virtual ~Dynamics() = default;
  virtual Index state_dim() const = 0;
  virtual Index action_dim() const = 0;
  /// Rows that `step` writes: the states, then what else is predicted of a step, at present its reward alone.
  virtual Index output_dim() const { return state_dim(); }
  /// Networks of an ensemble; what the particles of `Propagation::kTsInf` are shared out among.
  virtual Index members() const { return 1; }

  /// Trajectories that a rollout may hand to one `step`: more than usual where a call costs more than its lanes do.
  virtual Index max_lanes() const { return kMaxLanes; }

  /// Whether a step takes less time in float32: else nothing speaks against float64.
  virtual bool gains_from_float32() const { return true; }
  /// Whether it computes in float32 whatever it is asked in.
  virtual bool is_float32() const { return false; }
  /// Whether it may jump from state to state, as a function from outside may.
  virtual bool may_jump() const { return false; }
  /// Whether `jacobians` are central differences of `step`, as those of a function from outside are.
  virtual bool takes_differences() const { return false; }
  /// The states that are angles, so that differences of theirs are to go the short way round; null: there are none.
  virtual const Angles* angles() const { return nullptr; }

  /// Scratch that one `step` or `disagreement` of `lanes` trajectories takes.
  virtual std::size_t workspace_bytes(Index lanes) const = 0;

  /// `state` (S, K) and `action` (A, K) to `next` (output_dim, K), which aliases neither.
  virtual void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                    Block<T> next) const = 0;

  /// The mean of a step, where it is linear.
  virtual std::optional<LinearTerms> linear_terms() const { return std::nullopt; }

  /// How far the members' mean predictions lie apart, one number a lane into `out` (K); 0 for a model of one member.
  virtual void disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const;

  /// Scratch that one `jacobians` of `lanes` trajectories takes.
  virtual std::size_t jacobians_workspace_bytes(Index /*lanes*/) const { return 0; }

  /// The mean prediction with its exact derivatives; throws Error where a model has none.
  virtual void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const;
};

template <class T>
void Dynamics<T>::disagreement(ConstBlock<T> state, ConstBlock<T> /*action*/, Workspace& /*workspace*/, T* out) const {
  std::fill_n(out, state.lanes, T(0));
}

template <class T>
void Dynamics<T>::jacobians(ConstBlock<T> /*state*/, ConstBlock<T> /*action*/, Workspace& /*workspace*/,
                            JacobianBlock<T> /*out*/) const {
  throw Error(
      "model: its dynamics have no derivatives; use a model that is fitted, such as a LinearGaussian or an Ensemble");
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

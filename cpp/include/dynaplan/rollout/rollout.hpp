#pragma once

#include <cmath>
#include <initializer_list>
#include <optional>
#include <vector>

#include "dynaplan/core/interrupt.hpp"
#include "dynaplan/networks/affine.hpp"
#include "dynaplan/rewards/reward.hpp"
#include "dynaplan/rollout/particles.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A box of states: what predicted ones are clipped to, or what they must not leave.
template <class T>
struct StateLimits {
  std::vector<T> low;
  std::vector<T> high;
};

/// The first of some numbers that is a length; 1 if none is.
template <class T>
T first_length(std::initializer_list<T> numbers) {
  for (const T number : numbers) {
    if (number > T(0) && std::isfinite(number)) return number;
  }
  return T(1);
}

/// What is rolled out: dynamics, and what each step is worth. Pointers may be null where a part is not wanted.
template <class T>
struct RolloutProblem {
  const Dynamics<T>* dynamics = nullptr;
  const Reward<T>* reward = nullptr;
  const Termination<T>* termination = nullptr;
  const StateLimits<T>* limits = nullptr;  // clip to them, so that a polynomial cannot run away far outside its data
  /// The return of a particle that leaves them is -infinity. Its violation grows, at each step outside, by how far each
  /// entry is outside, in units of how far from its limit the block's first state is.
  const StateLimits<T>* allowed = nullptr;
  /// Likewise where one of these functions of a step is above 0, in units of its value where the block's first state
  /// stays as it is.
  std::vector<const Reward<T>*> constraints;
  T discount = T(1);
  /// Of the caller's states to the dynamics' own, where these are others.
  const PackedAffine<T>* coordinates = nullptr;
  /// Another problem whose mean returns are the same and cost less: see LinearQuadraticProblem.
  const RolloutProblem* cheaper = nullptr;
  Particles particles;
  std::optional<DisagreementLimit> disagreement_limit;

  /// Whether some states, or steps, are not allowed.
  bool limits_steps() const { return allowed != nullptr || !constraints.empty(); }
  /// Whether a sequence is worth what the mean prediction of it is worth.
  bool scores_the_mean() const {
    return particles.propagation == Propagation::kMean && !disagreement_limit && !limits_steps();
  }
  /// Whether some candidates are rejected, with a return of -infinity.
  bool rejects() const {
    return limits_steps() || (disagreement_limit && disagreement_limit->on_exceeding == OnExceeding::kReject);
  }
  /// Whether a particle needs nothing of the others.
  bool has_independent_particles() const { return particles.propagation != Propagation::kMoment; }
  /// Rows that the trajectory of one particle takes: its states, then room for what the last step predicts besides.
  Index trajectory_rows(Index horizon) const { return horizon * dynamics->state_dim() + dynamics->output_dim(); }
  /// Scratch of one block; `keeps_trajectory` if the caller brings room for the states.
  std::size_t workspace_bytes(Index lanes, bool keeps_trajectory) const;
  /// Throws ShapeError, ValueError where the parts do not fit each other.
  void validate() const;
};

/// The state of a block's particles after the last step, from which a terminal value is computed.
template <class T>
struct RolloutEnd {
  Block<T> states;   // (P * S, K)
  Block<T> weights;  // (P, K) the discount of the next reward; 0 where the particle has ended
  Block<T> totals;   // (P, K) each particle's return
};

/// Chooses the actions of one block during the rollout, from the states it reaches.
template <class T>
class ActionFeedback {
 public:
  virtual ~ActionFeedback() = default;
  /// Writes the actions of a step into the tile that BlockRollout::actions reads, before they are taken.
  virtual void act(Index step, ConstBlock<T> state, ConstBlock<T> previous_action) const = 0;
};

/// One block's rollout: inputs, and where its results go (null if unwanted).
template <class T>
struct BlockRollout {
  ConstBlock<T> initial_state;                  // (S, K)
  ConstBlock<T> actions;                        // (H * A, K)
  ConstBlock<T> last_action;                    // (A, K) applied before the first step, or no data
  const ActionFeedback<T>* feedback = nullptr;  // null: open loop; else for one particle
  Index first_step = 0;                         // where the block begins on a longer horizon
  Index last_step = 0;                          // and that horizon; 0: it is the block's own
  Stream stream;
  Index first_candidate = 0;
  Index candidates = 0;    // of the lanes, all if 0: see Draw
  Index particle = -1;     // the one that is rolled out, as if it were alone but for its draws; all if negative
  T* total = nullptr;      // (K), aligned like a row of a block
  T* violation = nullptr;  // (K) how far what rejects candidates is exceeded, likewise; see RolloutProblem::rejects
  Block<T> trajectory;     // (P * trajectory_rows, K), one particle below the other
  Block<T> steps_within_limit;  // (P, K) steps of a particle before it exceeds the disagreement limit, if there is one
  RolloutEnd<T> end;            // instead of `total`, which then is left alone
  const Interrupt* interrupt = nullptr;
};

/// The loop over time: dynamics, clipping, reward, termination of one block with all its particles. After its end
/// a trajectory stays where it ended and gets no reward. No allocation.
template <class T>
void rollout_block(const RolloutProblem<T>& problem, const BlockRollout<T>& block, Workspace& workspace);

/// Many rollouts, arrays row-major as in Python.
template <class T>
struct RolloutBatch {
  Index count = 0;
  Index horizon = 0;
  const T* states = nullptr;  // (count, S), or one (S) for all if `one_state`
  bool one_state = false;
  const T* actions = nullptr;      // (count, H, A)
  const T* last_action = nullptr;  // (A) or null
  Stream stream;
  int threads = 1;
  T* totals = nullptr;              // (count) or null
  T* trajectories = nullptr;        // (count, P, H + 1, S) or null
  T* steps_within_limit = nullptr;  // (count, P) or null, as in BlockRollout
  const Interrupt* interrupt = nullptr;
};

/// Throws ValueError naming the first state or action that is not finite.
template <class T>
void rollout(const RolloutProblem<T>& given, const RolloutBatch<T>& batch);

/// Lanes of each block of `count` rollouts; never of the threads, so that results do not depend on them.
template <class T>
Index block_lanes(const Dynamics<T>& dynamics, Index count);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

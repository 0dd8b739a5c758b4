#pragma once

#include <optional>
#include <vector>

#include "dynaplan/core/affine.hpp"
#include "dynaplan/rewards/reward.hpp"
#include "dynaplan/rollout/particles.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Bounds that predicted states are clipped to, so that a polynomial cannot run away far outside its data.
template <class T>
struct StateLimits {
  std::vector<T> low;
  std::vector<T> high;
};

/// What is rolled out: dynamics, and what each step is worth. Pointers may be null where a part is not wanted.
template <class T>
struct RolloutProblem {
  const Dynamics<T>* dynamics = nullptr;
  const Reward<T>* reward = nullptr;
  const Termination<T>* termination = nullptr;
  const StateLimits<T>* limits = nullptr;
  T discount = T(1);
  /// Of the caller's states to the dynamics' own, where these are others.
  const PackedAffine<T>* coordinates = nullptr;
  /// Another problem whose mean returns are the same and come cheaper: see LinearQuadraticProblem.
  const RolloutProblem* cheaper = nullptr;
  Particles particles;
  std::optional<KnownGround> known_ground;

  /// Rows that the trajectory of one particle takes: its states, then room for what the last step predicts besides.
  Index trajectory_rows(Index horizon) const { return horizon * dynamics->state_dim() + dynamics->output_dim(); }
  /// Scratch of one block; `keeps_trajectory` if the caller brings room for the states.
  std::size_t workspace_bytes(Index lanes, bool keeps_trajectory) const;
  /// Throws ShapeError, ValueError where the parts do not fit each other.
  void validate() const;
};

/// Chooses the actions of one block on the way, from the states that it comes to.
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
  Stream stream;
  Index first_candidate = 0;
  Index candidates = 0;  // of the lanes, all if 0: see Draw
  T* total = nullptr;    // (K), aligned like a row of a block
  Block<T> trajectory;   // (P * trajectory_rows, K), one particle below the other
  Block<T> known_steps;  // (P, K) steps that a particle makes on known ground; only where that is limited
};

/// The only loop over time: dynamics, clipping, reward, termination of one block with all its particles. After its end
/// a trajectory stays where it ended and earns nothing. No allocation.
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
  T* totals = nullptr;        // (count) or null
  T* trajectories = nullptr;  // (count, P, H + 1, S) or null
  T* known_steps = nullptr;   // (count, P) or null, as in BlockRollout
};

/// Throws ValueError naming the first state or action that is not finite.
template <class T>
void rollout(const RolloutProblem<T>& given, const RolloutBatch<T>& batch);

/// Lanes of each block of `count` rollouts: a function of the count alone, so that results do not depend on threads.
template <class T>
Index block_lanes(Index count);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <cstdint>

#include "dynaplan/core/interrupt.hpp"
#include "dynaplan/rewards/reward.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Single steps, arrays row-major: what a reward looks at outside a rollout.
struct StepBatch {
  const double* states = nullptr;            // (count, S)
  const double* actions = nullptr;           // (count, A)
  const double* next_states = nullptr;       // (count, S)
  const double* previous_actions = nullptr;  // (count, A), or null: as `actions`
  const std::int64_t* steps = nullptr;       // (count) place of each on the horizon, or null: unknown
  Index horizon = 0;                         // steps in all, or 0: unknown
  Index count = 0;
  Index state_dim = 0;
  Index action_dim = 0;
  const Interrupt* interrupt = nullptr;  // between blocks
};

/// The reward of each step into `rewards` (count). Throws ShapeError if the reward does not fit the sizes,
/// ValueError if it needs to know more of them.
void score_steps(const Reward<double>& reward, const StepBatch& batch, double* rewards);

/// Whether each step ends an episode, into `ended` (count). Throws ShapeError if the termination does not fit the
/// sizes.
void end_steps(const Termination<double>& termination, const StepBatch& batch, bool* ended);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

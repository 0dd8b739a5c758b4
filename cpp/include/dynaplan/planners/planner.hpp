#pragma once

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <vector>

#include "dynaplan/planners/call_time.hpp"
#include "dynaplan/rollout/rollout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Scores whole trajectories after the rollout: for rewards that are cheapest on the whole batch at once, such as a
/// Python function. Takes the place of the problem's reward and termination.
template <class T>
class TrajectoryScore {
 public:
  virtual ~TrajectoryScore() = default;
  /// `states` (count, H + 1, S), `actions` (count, H, A) and `steps_within_limit` (count), row-major; writes `totals`
  /// (count). Each particle of a candidate is a trajectory of its own. `steps_within_limit` is null without a
  /// disagreement limit; the score decides what a trajectory that exceeds it is worth: -infinity where that rejects.
  /// `violations` (count), if not null, are as in BlockRollout, one for each trajectory.
  virtual void score(const T* states, const T* actions, const T* steps_within_limit, Index count, Index horizon,
                     T* totals, T* violations) const = 0;
  /// The reward of single steps alone, from `states` (count, 2, S) and `actions` (count, A), to `rewards` (count).
  virtual void reward(const T* states, const T* actions, Index count, T* rewards) const = 0;
  /// After how many steps one trajectory, `states` (H + 1, S) and `actions` (H, A), ends; none if it does not.
  virtual std::optional<Index> end(const T* /*states*/, const T* /*actions*/, Index /*horizon*/) const {
    return std::nullopt;
  }
};

/// What is still to come where a plan ends, such as a critic's value; asked once for all candidates.
template <class T>
class TerminalValue {
 public:
  virtual ~TerminalValue() = default;
  /// `states` (count, S), row-major; writes `values` (count).
  virtual void value(const T* states, Index count, T* values) const = 0;
};

using Clock = std::chrono::steady_clock;

/// Sequences that come from the plan before, or from elsewhere.
struct EarlierSequences {
  const double* actions = nullptr;  // (count, steps, A), or null for none
  Index count = 0;
  Index steps = 0;
  Index skip = 0;  // steps at their beginning that have passed

  Index steps_left() const { return std::max<Index>(0, steps - skip); }
};

/// What of a planning problem changes from plan to plan, and what does not depend on the type of its numbers. Arrays
/// are borrowed for the call.
struct PlanCall {
  const double* state = nullptr;        // (S)
  const double* action_low = nullptr;   // (A)
  const double* action_high = nullptr;  // (A)
  const double* step_low = nullptr;     // (bound_steps, A) within these, the last row from there on; or null
  const double* step_high = nullptr;    // likewise
  Index bound_steps = 0;
  EarlierSequences warm_start;                  // one, continued by its last action; none: the middle of the bounds
  const double* action_rate = nullptr;          // (A) largest change of an action in a step, or null
  const double* action_acceleration = nullptr;  // (A) largest change of that change, or null
  EarlierSequences carried;                     // are put among the first candidates; the steps they lack are drawn
  const double* last_action = nullptr;          // (A) applied before this plan, or null
  const double* last_change = nullptr;          // (A) of that action from the one before; null: none
  Stream stream;                                // seed and call; the planner counts the iterations
  int threads = 1;
  const Interrupt* interrupt = nullptr;
  std::optional<Clock::time_point> deadline;  // the plan is to be there by then; none: all iterations are made
  CallTime score_time;  // of a score or a terminal value, if it has been measured; matters with a deadline alone

  /// Seconds until then.
  double seconds_left() const {
    if (!deadline) return std::numeric_limits<double>::infinity();
    return std::chrono::duration<double>(*deadline - Clock::now()).count();
  }
};

/// One planning problem: what to roll out, from where, within which bounds.
template <class T>
struct PlanProblemOf : PlanCall {
  RolloutProblem<T> rollout;
  const TrajectoryScore<T>* score = nullptr;         // instead of rollout.reward, .termination and .allowed
  const TerminalValue<T>* terminal_value = nullptr;  // what a score adds by itself, as far as returns go
  /// The same problem in float64, to be taken where this type is too coarse; null: nobody asks whether it is.
  const PlanProblemOf<double>* exact = nullptr;

  /// Throws ShapeError, ValueError: a part is missing, a value is not finite, a bound is not a bound.
  void validate() const;
  /// Whether a function outside is asked about many candidates at once.
  bool scores_at_once() const { return score != nullptr || terminal_value != nullptr; }
  /// The bounds of an action at a step of the plan.
  double low_at(Index step, Index dim) const {
    return step_low != nullptr ? step_low[bound_entry(step, dim)] : action_low[dim];
  }
  double high_at(Index step, Index dim) const {
    return step_high != nullptr ? step_high[bound_entry(step, dim)] : action_high[dim];
  }
  /// Where planning starts: the warm start's entry `row` (of H * A) within the bounds; else the last action where a
  /// rate holds it; else the middle of the bounds.
  double start_action(Index row) const;

 private:
  Index bound_entry(Index step, Index dim) const {
    return std::min(step, bound_steps - 1) * rollout.dynamics->action_dim() + dim;
  }
  void validate_step_bounds() const;
};

/// What sampling planners are given, and what gradient-based planners are.
using PlanProblem = PlanProblemOf<float>;
using ExactPlanProblem = PlanProblemOf<double>;

/// Throws ValueError unless there are from 1 to `candidates` elites.
void require_elites(Index elites, Index candidates);

/// All iterations were made; the search settled before; it gained no more though it should have; the deadline came
/// first; no candidate had a finite return.
enum class PlanStatus { kIterations, kConverged, kStalled, kTimeLimit, kNoFiniteCandidate };

/// What rounding changes, of what sets candidates apart.
struct Rounding {
  double share = 0.0;  // infinite where nothing can be told: no return is finite, or all are the same
  /// Whether a nudge of states and actions by as little changes more than the return's last digits.
  bool is_felt = false;
  double returns = 0.0;  // by how much the best candidate is better than half of them
};

/// A plan and how it was computed. Reused from call to call: its arrays keep their memory.
template <class T>
struct PlanResult {
  std::vector<T> actions;  // (H, A)
  std::vector<T> states;   // (H + 1, S), the mean prediction under `actions`
  double value = 0.0;      // the predicted return of `actions`
  PlanStatus status = PlanStatus::kIterations;
  Index candidates = 0;           // evaluated, over all iterations
  Index rejected = 0;             // of these, how many exceeded the disagreement limit or the limits of the states
  Index non_finite = 0;           // and how many of the others had a return that is nan or infinite
  int iterations = 0;             // that were finished
  std::vector<T> kept_sequences;  // (kept, H, A) best first, for the next plan; empty unless the search keeps some
  std::vector<T> spread;  // (H, A) standard deviations that the search ended with; empty unless it has a Gaussian
  std::optional<Rounding> rounding;  // of a problem that is there in float64 too

  /// Makes room, and clears the counts.
  void begin(const PlanProblemOf<T>& problem, Index horizon);
};

/// Writes sequences (n, H, A) of a result as float64, within the bounds and rates to the last bit: these need not be
/// exact in float32.
template <class T>
void copy_sequences(const PlanProblemOf<T>& problem, Index horizon, const std::vector<T>& sequences, double* out);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

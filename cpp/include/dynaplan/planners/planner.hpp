#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "dynaplan/rollout/rollout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Scores whole trajectories after the rollout: for rewards that are cheapest on the whole batch at once, such as a
/// Python function. Takes the place of the problem's reward and termination.
template <class T>
class TrajectoryScore {
 public:
  virtual ~TrajectoryScore() = default;
  /// `states` (count, H + 1, S), `actions` (count, H, A) and `known_steps` (count), row-major; writes `totals` (count).
  /// Each particle of a candidate is a trajectory of its own. `known_steps` is null where all ground is known; what
  /// comes of a trajectory that leaves it is for the score to say: -infinity where that rejects.
  virtual void score(const T* states, const T* actions, const T* known_steps, Index count, Index horizon,
                     T* totals) const = 0;
  /// Steps of one trajectory, `states` (H + 1, S) and `actions` (H, A), that earn something before it ends.
  virtual Index length(const T* /*states*/, const T* /*actions*/, Index horizon) const { return horizon; }
};

using Clock = std::chrono::steady_clock;

/// Sequences that are put among the first candidates of a search that keeps elites: those of the plan before, shifted.
struct CarriedSequences {
  const double* actions = nullptr;  // (count, steps, A)
  Index count = 0;
  Index steps = 0;  // at most the horizon; the steps beyond are drawn
};

/// One planning problem: what to roll out, from where, within which bounds. Arrays are borrowed for the call.
template <class T>
struct PlanProblemOf {
  RolloutProblem<T> rollout;
  const TrajectoryScore<T>* score = nullptr;  // instead of rollout.reward and rollout.termination
  const double* state = nullptr;              // (S)
  const double* action_low = nullptr;         // (A)
  const double* action_high = nullptr;        // (A)
  const double* warm_start = nullptr;         // (H, A), or null: the middle of the bounds
  CarriedSequences carried;
  const double* last_action = nullptr;  // (A) applied before this plan, or null
  Stream stream;                        // seed and call; the planner counts the iterations
  int threads = 1;
  std::optional<Clock::time_point> deadline;  // the plan is to be there by then; none: all iterations are made

  /// Throws ShapeError, ValueError: a part is missing, a value is not finite, a bound is not a bound.
  void validate(Index horizon) const;
  /// Where planning starts: the warm start's entry `row` (of H * A) within the bounds, or their middle.
  double start_action(Index row) const;
};

/// What sampling planners are given, and what planners by derivatives are.
using PlanProblem = PlanProblemOf<float>;
using ExactPlanProblem = PlanProblemOf<double>;

/// Throws ValueError naming the setting if it is below 1.
void require_at_least_one(const char* setting, Index value);

/// All iterations were made; the search settled before; the deadline came first; no candidate had a finite return.
enum class PlanStatus { kIterations, kConverged, kBudget, kNoFiniteCandidate };

/// A plan and how it came about. Reused from call to call: its arrays keep their memory.
struct PlanResult {
  std::vector<float> actions;  // (H, A)
  std::vector<float> states;   // (H + 1, S), the mean prediction under `actions`
  double value = 0.0;          // the predicted return of `actions`
  PlanStatus status = PlanStatus::kIterations;
  Index candidates = 0;       // evaluated, over all iterations
  Index rejected = 0;         // of these, how many left known ground where that rejects them
  Index non_finite = 0;       // and how many of the others had a return that is nan or infinite
  int iterations = 0;         // that were finished
  std::vector<float> elites;  // (kept, H, A) best first, for the next plan; empty unless the search keeps some

  /// Makes room, and clears the counts.
  void begin(const PlanProblem& problem, Index horizon);
  /// Writes sequences (n, H, A), `actions` or `elites`, as float64, within the bounds to the last bit: a bound need not
  /// be exact in float32.
  static void copy_sequences(const PlanProblem& problem, const std::vector<float>& sequences, double* out);
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

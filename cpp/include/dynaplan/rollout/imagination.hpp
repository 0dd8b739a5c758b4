#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dynaplan/rollout/policy.hpp"
#include "dynaplan/rollout/rollout.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A policy that is a function of all states of a step at once, such as one in Python.
class BatchPolicy {
 public:
  virtual ~BatchPolicy() = default;
  /// Actions (count, A) for `states` (count, S).
  virtual void act(const double* states, Index count, double* actions) const = 0;
};

/// Likewise a termination.
class BatchTermination {
 public:
  virtual ~BatchTermination() = default;
  /// Whether each step ends an episode, into `ended` (count).
  virtual void end(const double* states, const double* actions, const double* next_states, Index count,
                   bool* ended) const = 0;
};

/// What imagined transitions are made of. One of the policies is there, or `ImaginedRows` has the actions; other
/// pointers may be null.
template <class T>
struct ImaginationProblemOf {
  const Dynamics<T>* dynamics = nullptr;
  std::vector<Index> elite_members;  // the members that predict, each equally often
  const Policy* policy = nullptr;
  const BatchPolicy* batch_policy = nullptr;
  const Reward<T>* reward = nullptr;
  const Termination<T>* termination = nullptr;
  const BatchTermination* batch_termination = nullptr;
  const StateLimits<T>* limits = nullptr;    // predicted states are clipped to them
  std::optional<double> disagreement_limit;  // see DisagreementLimit

  /// Throws ShapeError, ValueError where the parts do not fit each other.
  void validate() const;
};

using ImaginationProblem = ImaginationProblemOf<float>;
using ExactImaginationProblem = ImaginationProblemOf<double>;

/// Rollouts of `length` steps from each start, arrays row-major: transition t of rollout n in row n * length + t.
struct ImaginedRows {
  const double* starts = nullptr;            // (count, S)
  const double* given_actions = nullptr;     // (count * length, A), where there is no policy
  const double* previous_actions = nullptr;  // (count, A) before the first step; null: those of the first step
  Index count = 0;
  Index length = 1;
  double* states = nullptr;       // (count * length, S); the start is written in any case
  double* actions = nullptr;      // (count * length, A)
  double* rewards = nullptr;      // (count * length), left alone without a reward
  double* next_states = nullptr;  // (count * length, S)
  bool* terminated = nullptr;     // (count * length)
  std::int64_t* steps = nullptr;  // (count) transitions that each rollout has; rows beyond them are not written
  bool* cut = nullptr;            // (count) whether it ended where the model is not to be trusted
  std::uint64_t seed = 0;
  int threads = 1;
  const Interrupt* interrupt = nullptr;
};

/// Branched rollouts (Janner et al. 2019, "When to trust your model", algorithm 2): at each step the policy draws an
/// action, and a member of the elite_members, drawn afresh for each rollout, draws the next state. A rollout ends with
/// a termination; before a step that exceeds the disagreement limit; and before one whose prediction is not finite.
/// Throws ValueError naming a start or an action that is not finite.
template <class T>
void imagine(const ImaginationProblemOf<T>& problem, const ImaginedRows& rows);

/// The same in float32, or where that cannot tell how far a step moves from the starts in float64. `exact` is the same
/// problem.
void imagine_at_needed_precision(const ImaginationProblem& problem, const ExactImaginationProblem& exact,
                                 const ImaginedRows& rows);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

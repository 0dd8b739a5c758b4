#pragma once

#include <algorithm>
#include <cstddef>

#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Which state a reward term looks at.
enum class At { kState, kNextState };

/// What a step's reward depends on, one after another: state (S), action (A), the action one step earlier (A), next
/// state (S).
template <class T>
struct StepVariables {
  const T* values = nullptr;
  Index state_dim = 0;
  Index action_dim = 0;
  Index step = 0;     // which one it is
  Index horizon = 0;  // of how many

  Index action() const { return state_dim; }
  Index previous_action() const { return state_dim + action_dim; }
  Index state(At at) const { return at == At::kState ? 0 : state_dim + 2 * action_dim; }
  Index count() const { return 2 * (state_dim + action_dim); }
};

/// A step's reward with its gradient (n) and its Hessian (n, n), symmetric, by the n variables of the step.
template <class T>
struct RewardExpansion {
  Index count = 0;
  T value = T(0);
  T* gradient = nullptr;
  T* hessian = nullptr;

  static std::size_t bytes(Index count) { return Workspace::bytes<T>(count) + Workspace::bytes<T>(count * count); }
  static RewardExpansion take(Workspace& workspace, Index count) {
    RewardExpansion expansion{count, T(0), workspace.take<T>(count), workspace.take<T>(count * count)};
    expansion.clear();
    return expansion;
  }

  void clear() {
    value = T(0);
    std::fill_n(gradient, count, T(0));
    std::fill_n(hessian, count * count, T(0));
  }
  /// *this += factor * other.
  void add_scaled(const RewardExpansion& other, T factor) {
    value += factor * other.value;
    for (Index i = 0; i < count; ++i) gradient[i] += factor * other.gradient[i];
    for (Index i = 0; i < count * count; ++i) hessian[i] += factor * other.hessian[i];
  }
  T& second(Index i, Index j) { return hessian[i * count + j]; }
  /// Adds to both entries of a pair, or to the one of the diagonal.
  void add_second(Index i, Index j, T value_of_pair) {
    second(i, j) += value_of_pair;
    if (i != j) second(j, i) += value_of_pair;
  }
  /// *this += f(u) of a scalar u with the gradient `of_u` (its non-zero entries at `entries`), given f' and f''.
  void add_chain(const Index* entries, const T* of_u, Index entry_count, T first_of_f, T second_of_f) {
    for (Index i = 0; i < entry_count; ++i) {
      gradient[entries[i]] += first_of_f * of_u[i];
      for (Index j = 0; j < entry_count; ++j) second(entries[i], entries[j]) += second_of_f * of_u[i] * of_u[j];
    }
  }
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

struct ActionBox;

/// Transitions as the caller has them, one a row; `actions` in the environment's own units.
struct TransitionRows {
  const double* states = nullptr;       // (count, S)
  const double* actions = nullptr;      // (count, A)
  const double* rewards = nullptr;      // (count)
  const double* next_states = nullptr;  // (count, S)
  const bool* terminated = nullptr;     // (count)
  Index count = 0;

  /// Throws ValueError naming the first number that is not finite, or the first action outside the box.
  void validate(Index state_dim, const ActionBox& box) const;
};

/// The box of actions, and [-1, 1] to which agents scale it.
struct ActionBox {
  Eigen::VectorXd low;
  Eigen::VectorXd high;

  Index dim() const { return static_cast<Index>(low.size()); }
  double centre(Index i) const { return 0.5 * (low(i) + high(i)); }
  double half_range(Index i) const { return 0.5 * (high(i) - low(i)); }

  /// Throws ShapeError, ValueError.
  void validate() const;
};

/// The most recent transitions, up to a capacity, the oldest overwritten first. A transition is one row of float32,
/// [state, action, reward, terminated, next state], so that drawing one reads memory at one place. Memory is taken at
/// once and, as operating systems do it, given when a row is first written.
class TransitionStore {
 public:
  /// Throws ValueError if `capacity` < 1; `name` is that of the setting.
  TransitionStore(const char* name, Index state_dim, Index action_dim, Index capacity);

  Index state_dim() const { return state_dim_; }
  Index action_dim() const { return action_dim_; }
  Index capacity() const { return capacity_; }
  Index size() const { return size_; }
  /// Where the next transition goes; the oldest stands there once the store is full.
  Index next() const { return next_; }

  const float* row(Index i) const { return rows_.get() + i * stride_; }
  Index action_at() const { return state_dim_; }
  Index reward_at() const { return state_dim_ + action_dim_; }
  Index terminated_at() const { return reward_at() + 1; }
  Index next_state_at() const { return reward_at() + 2; }
  /// Numbers of a row, without padding.
  Index width() const { return next_state_at() + state_dim_; }
  /// Numbers from one row to the next.
  Index stride() const { return stride_; }

  /// Adds rows that were validated; actions are scaled from `box` to [-1, 1].
  void append(const TransitionRows& rows, const ActionBox& box);
  void clear();
  /// Keeps as many of the newest transitions as fit. Throws ValueError if `capacity` < 1.
  void resize(Index capacity);

  /// The rows 0 to size, (size, width), in the order of memory.
  void copy_to(float* rows) const;
  /// Puts back what `copy_to` gave, for a store of this capacity. Throws ValueError.
  void restore(const float* rows, Index size, Index next);

 private:
  float* writable(Index i) { return rows_.get() + i * stride_; }
  std::unique_ptr<float[]> allocated(Index capacity) const;

  std::string name_;
  Index state_dim_;
  Index action_dim_;
  Index stride_;
  Index capacity_ = 0;
  Index size_ = 0;
  Index next_ = 0;
  std::unique_ptr<float[]> rows_;  // empty until the first row
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

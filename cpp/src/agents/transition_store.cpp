#include "dynaplan/agents/transition_store.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void TransitionRows::validate(Index state_dim, const ActionBox& box) const {
  const Index action_dim = box.dim();
  require_finite_float32("states", states, count, state_dim);
  require_finite_float32("actions", actions, count, action_dim);
  require_finite_float32("rewards", rewards, count, 1);
  require_finite_float32("next_states", next_states, count, state_dim);
  constexpr double kRounding = 1e-5;  // of actions that passed through float32, in half ranges
  for (Index i = 0; i < count * action_dim; ++i) {
    const Index j = i % action_dim;
    if (std::abs(actions[i] - box.centre(j)) <= (1.0 + kRounding) * box.half_range(j)) continue;
    throw_row_error("actions", i, action_dim, actions[i],
                    "from " + text_of(box.low(j)) + " to " + text_of(box.high(j)) + ": the applied action, clipped");
  }
}

void ActionBox::validate() const {
  if (low.size() != high.size() || low.size() < 1) {
    throw_shape_error("action_space", "shapes " + shape_text({low.size()}) + " and " + shape_text({high.size()}),
                      "low and high of the same size, at least 1");
  }
  for (Index i = 0; i < dim(); ++i) {
    if (is_finite_float32(low(i)) && is_finite_float32(high(i)) && low(i) < high(i)) continue;
    throw_value_error("action_space",
                      "bounds " + text_of(low(i)) + " and " + text_of(high(i)) + " in dimension " + text_of(i),
                      "finite, the lower one below the upper one");
  }
}

TransitionStore::TransitionStore(const char* name, Index state_dim, Index action_dim, Index capacity)
    : name_(name), state_dim_(state_dim), action_dim_(action_dim), stride_(padded_lanes<float>(width())) {
  resize(capacity);
}

std::unique_ptr<float[]> TransitionStore::allocated(Index capacity) const {
  require_addressable(name_, {capacity, stride_});
  // Uninitialised: pages come with their rows.
  return std::unique_ptr<float[]>(new float[static_cast<std::size_t>(capacity * stride_)]);
}

void TransitionStore::append(const TransitionRows& rows, const ActionBox& box) {
  if (!rows_) rows_ = allocated(capacity_);
  for (Index i = std::max<Index>(0, rows.count - capacity_); i < rows.count; ++i) {
    float* to = writable(next_);
    const auto put = [&to](double value) { *to++ = static_cast<float>(value); };
    for (Index j = 0; j < state_dim_; ++j) put(rows.states[i * state_dim_ + j]);
    for (Index j = 0; j < action_dim_; ++j) {
      put((rows.actions[i * action_dim_ + j] - box.centre(j)) / box.half_range(j));
    }
    put(rows.rewards[i]);
    put(rows.terminated[i] ? 1.0 : 0.0);
    for (Index j = 0; j < state_dim_; ++j) put(rows.next_states[i * state_dim_ + j]);
    next_ = next_ + 1 == capacity_ ? 0 : next_ + 1;
    size_ = std::min(size_ + 1, capacity_);
  }
}

void TransitionStore::clear() { size_ = next_ = 0; }

void TransitionStore::resize(Index capacity) {
  require_at_least(name_, capacity, 1);
  if (capacity == capacity_) return;
  const Index kept = std::min(size_, capacity);
  std::unique_ptr<float[]> rows = kept > 0 ? allocated(capacity) : nullptr;
  for (Index i = 0; i < kept; ++i) {
    const Index from = (next_ - kept + i + capacity_) % capacity_;
    std::copy_n(row(from), width(), rows.get() + i * stride_);
  }
  rows_ = std::move(rows);
  capacity_ = capacity;
  size_ = kept;
  next_ = kept == capacity ? 0 : kept;
}

void TransitionStore::copy_to(float* rows) const {
  for (Index i = 0; i < size_; ++i) std::copy_n(row(i), width(), rows + i * width());
}

void TransitionStore::restore(const float* rows, Index size, Index next) {
  const bool fits = size >= 0 && size <= capacity_ && next >= 0 && next < capacity_;
  if (!fits || (size < capacity_ && next != size)) {
    throw ValueError(name_ + ": " + text_of(size) + " transitions with the next at " + text_of(next) +
                     " do not fit a store of " + text_of(capacity_));
  }
  if (size > 0 && !rows_) rows_ = allocated(capacity_);
  for (Index i = 0; i < size; ++i) std::copy_n(rows + i * width(), width(), writable(i));
  size_ = size;
  next_ = next;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include "dynaplan/core/c_function.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Writes the reward of each lane's step, K numbers that are 0 before. Must be thread-safe and throw nothing.
template <class F>
using RewardSignature = void(const F* state, const F* action, const F* next_state, std::int64_t stride,
                             std::int64_t lanes, std::int64_t step, void* user_data, F* reward);

/// A reward that a compiled function from outside computes.
template <class T>
class CFunctionReward final : public Reward<T> {
 public:
  /// `state_dim` and `action_dim` are what the function reads. Throws ShapeError.
  CFunctionReward(CFunction<RewardSignature> function, Index state_dim, Index action_dim);
  std::size_t workspace_bytes(Index lanes) const override;
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  UseOfStep use_of_step() const override { return UseOfStep::kOptional; }
  bool is_float32() const override { return function_.is_float32(); }
  void add_jumps(Jumps& jumps) const override { jumps.anywhere = true; }

 private:
  CFunction<RewardSignature> function_;
  Index state_dim_;
  Index action_dim_;
};

extern template class CFunctionReward<float>;
extern template class CFunctionReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include "dynaplan/core/c_function.hpp"
#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Writes each lane's next state (S, K), all 0 before, `stride` apart like the rest. Must be thread-safe and throw
/// nothing.
template <class F>
using DynamicsSignature = void(const F* state, const F* action, std::int64_t stride, std::int64_t lanes,
                               void* user_data, F* next_state);

/// Dynamics that a compiled function from outside computes: no noise, derivatives by central differences.
template <class T>
class CFunctionDynamics final : public Dynamics<T> {
 public:
  /// Throws ShapeError.
  CFunctionDynamics(CFunction<DynamicsSignature> function, Index state_dim, Index action_dim);
  Index state_dim() const override { return state_dim_; }
  Index action_dim() const override { return action_dim_; }
  bool is_float32() const override { return function_.is_float32(); }
  bool may_jump() const override { return true; }
  bool takes_differences() const override { return true; }
  std::size_t workspace_bytes(Index lanes) const override;
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;
  std::size_t jacobians_workspace_bytes(Index lanes) const override;
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override;

 private:
  CFunction<DynamicsSignature> function_;
  Index state_dim_;
  Index action_dim_;
};

extern template class CFunctionDynamics<float>;
extern template class CFunctionDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include "dynaplan/core/c_function.hpp"
#include "dynaplan/terminations/termination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Sets `ended`, K bytes that are 0 before, to another number in the lanes that end with the step. Must be thread-safe
/// and throw nothing.
template <class F>
using TerminationSignature = void(const F* state, const F* action, const F* next_state, std::int64_t stride,
                                  std::int64_t lanes, std::int64_t step, void* user_data, std::uint8_t* ended);

/// A termination that a compiled function from outside computes.
template <class T>
class CFunctionTermination final : public Termination<T> {
 public:
  /// `state_dim` and `action_dim` are what the function reads. Throws ShapeError.
  CFunctionTermination(CFunction<TerminationSignature> function, Index state_dim, Index action_dim);
  std::size_t workspace_bytes(Index lanes) const override;
  void mark(const StepView<T>& view, Workspace& workspace, T* alive) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool uses_step() const override { return true; }
  void add_jumps(Jumps& jumps) const override { jumps.anywhere = true; }
  bool is_float32() const override { return function_.is_float32(); }

 private:
  CFunction<TerminationSignature> function_;
  Index state_dim_;
  Index action_dim_;
};

extern template class CFunctionTermination<float>;
extern template class CFunctionTermination<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <vector>

#include "dynaplan/models/dynamics.hpp"
#include "dynaplan/networks/affine.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// s' = A s + B a + c with A upper triangular but for 2 x 2 blocks on the diagonal, as a real Schur form is: the rows
/// of a panel meet only the states from the panel on.
template <class T>
class BlockTriangularDynamics final : public Dynamics<T> {
 public:
  explicit BlockTriangularDynamics(const LinearTerms& terms);

  Index state_dim() const override { return state_dim_; }
  Index action_dim() const override { return action_dim_; }
  std::size_t workspace_bytes(Index /*lanes*/) const override { return 0; }
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;

 private:
  struct Panel {
    Index row;
    Index first_state;
    PackedAffine<T> product;  // of [states from first_state on; action]
  };

  Index state_dim_;
  Index action_dim_;
  std::vector<Panel> panels_;
};

extern template class BlockTriangularDynamics<float>;
extern template class BlockTriangularDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

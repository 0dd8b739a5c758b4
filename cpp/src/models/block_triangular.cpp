#include "dynaplan/models/block_triangular.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
BlockTriangularDynamics<T>::BlockTriangularDynamics(const LinearTerms& terms)
    : state_dim_(terms.state.rows()), action_dim_(terms.action.cols()) {
  for (Index row = 0; row < state_dim_; row += kTileRows) {
    const Index rows = std::min(kTileRows, state_dim_ - row);
    const bool splits_block = row > 0 && terms.state(row, row - 1) != 0.0;
    const Index first_state = splits_block ? row - 1 : row;
    Eigen::MatrixXd weights(rows, state_dim_ - first_state + action_dim_);
    weights << terms.state.block(row, first_state, rows, state_dim_ - first_state), terms.action.middleRows(row, rows);
    const Eigen::VectorXd constant = terms.constant.segment(row, rows);
    panels_.push_back({row, first_state, PackedAffine<T>(weights.cast<T>(), constant.cast<T>())});
  }
}

template <class T>
void BlockTriangularDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& /*draw*/,
                                      Workspace& /*workspace*/, Block<T> next) const {
  for (const Panel& panel : panels_) {
    const ConstBlock<T> inputs[] = {state.rows(panel.first_state, state_dim_ - panel.first_state), action};
    panel.product.apply(inputs, 2, next.rows(panel.row, panel.product.outputs()));
  }
}

template class BlockTriangularDynamics<float>;
template class BlockTriangularDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/models/linear.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

Eigen::MatrixXd beside(const Eigen::MatrixXd& left, const Eigen::MatrixXd& right) {
  Eigen::MatrixXd both(left.rows(), left.cols() + right.cols());
  both << left, right;
  return both;
}

}  // namespace

template <class T>
LinearDynamics<T>::LinearDynamics(Index state_dim, const PolynomialFeatures& features, const Eigen::MatrixXd& weights,
                                  const Eigen::VectorXd& intercept, const Eigen::MatrixXd& noise_factor)
    : state_dim_(state_dim),
      features_(features),
      mean_(weights.cast<T>(), intercept.cast<T>()),
      sample_(beside(weights, noise_factor).template cast<T>(), intercept.cast<T>()),
      slopes_(weights.leftCols(features.inputs()).cast<T>()),
      of_products_(weights.rightCols(features.products_count()).cast<T>(),
                   PackedAffine<T>::Vector::Zero(weights.rows())) {
  if (features.products_count() == 0) {
    linear_ = {weights.leftCols(state_dim), weights.rightCols(weights.cols() - state_dim), intercept};
  }
}

template <class T>
std::size_t LinearDynamics<T>::workspace_bytes(Index lanes) const {
  return Workspace::bytes<T>(features_.products_count() * lanes) + Workspace::bytes<T>(state_dim_ * lanes);
}

template <class T>
void LinearDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                             Block<T> next) const {
  const Workspace::Scope scope(workspace);
  const Block<T> products = workspace.take_block<T>(features_.products_count(), state.lanes);
  features_.products(state, action, products);
  if (draw.propagation == Propagation::kMean) {
    const ConstBlock<T> inputs[] = {state, action, products};
    mean_.apply(inputs, 3, next);
    return;
  }
  const Block<T> normals = workspace.take_block<T>(state_dim_, state.lanes);
  fill_normal(draw, Purpose::kDynamics, normals);
  const ConstBlock<T> inputs[] = {state, action, products, normals};
  sample_.apply(inputs, 4, next);
}

template <class T>
std::size_t LinearDynamics<T>::jacobians_workspace_bytes(Index lanes) const {
  return 2 * Workspace::bytes<T>(features_.products_count() * lanes) + Workspace::bytes<T>(state_dim_ * lanes);
}

template <class T>
void LinearDynamics<T>::jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                  JacobianBlock<T> out) const {
  const Workspace::Scope scope(workspace);
  const Block<T> products = workspace.take_block<T>(features_.products_count(), state.lanes);
  const Block<T> derivatives = workspace.take_block<T>(features_.products_count(), state.lanes);
  const Block<T> column = workspace.take_block<T>(state_dim_, state.lanes);
  features_.products(state, action, products);
  const ConstBlock<T> inputs[] = {state, action, products};
  mean_.apply(inputs, 3, out.next);
  for (Index i = 0; i < features_.inputs(); ++i) {
    features_.derivatives<T>(state, action, products, i, derivatives);
    const ConstBlock<T> of_input = derivatives;
    of_products_.apply(&of_input, 1, column);
    for (Index d = 0; d < state_dim_; ++d) {
      const bool is_state = i < state_dim_;
      const Block<T> target = is_state ? out.state : out.action;
      const Index row = is_state ? d * state_dim_ + i : d * action_dim() + i - state_dim_;
      lanes_of(target, row) = lanes_of(column, d) + slopes_(d, i);
    }
  }
}

template class LinearDynamics<float>;
template class LinearDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

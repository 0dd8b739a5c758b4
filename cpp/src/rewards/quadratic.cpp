#include "dynaplan/rewards/quadratic.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

void require_symmetric(const Eigen::MatrixXd& weights, Index dim) {
  if (weights.rows() != dim || weights.cols() != dim) {
    throw_shape_error("weights", "shape " + shape_text({weights.rows(), weights.cols()}),
                      shape_text({dim, dim}) + ", a row and a column for each entry of the target");
  }
  require_finite_matrix("weights", weights);
  if (!weights.isApprox(weights.transpose(), 1e-12)) throw ValueError("weights: must be a symmetric matrix");
}

// U with U^T U = W, rows of zeros where W is only semi-definite.
Eigen::MatrixXd upper_factor(const Eigen::MatrixXd& weights) {
  const Index dim = weights.rows();
  const double tolerance =
      1e-12 * std::max(1e-300, weights.diagonal().cwiseAbs().maxCoeff()) * static_cast<double>(dim);
  Eigen::MatrixXd rest = weights;
  Eigen::MatrixXd upper = Eigen::MatrixXd::Zero(dim, dim);
  for (Index j = 0; j < dim; ++j) {
    const double pivot = rest(j, j);
    const double off_diagonal = j + 1 < dim ? rest.row(j).tail(dim - j - 1).cwiseAbs().maxCoeff() : 0.0;
    if (pivot < -tolerance || (pivot <= tolerance && off_diagonal > tolerance)) {
      throw ValueError("weights: must be positive semi-definite");
    }
    if (pivot <= tolerance) continue;
    upper.row(j).tail(dim - j) = rest.row(j).tail(dim - j) / std::sqrt(pivot);
    rest.bottomRightCorner(dim - j, dim - j) -= upper.row(j).tail(dim - j).transpose() * upper.row(j).tail(dim - j);
  }
  return upper;
}

}  // namespace

template <class T>
QuadraticForm<T>::QuadraticForm(const Eigen::MatrixXd& weights, const Eigen::MatrixXd& targets)
    : weights_(weights.cast<T>()), targets_(targets) {
  const Index dim = targets.rows();
  require_symmetric(weights, dim);
  if (weights.isDiagonal(0.0)) {
    for (const double value : weights.diagonal()) diagonal_.push_back(static_cast<T>(value));
    return;
  }
  const Eigen::MatrixXd upper = upper_factor(weights);
  for (Index first = 0; first < dim; first += kTileRows) {
    const Index rows = std::min(kTileRows, dim - first);
    const Eigen::MatrixXd part = upper.block(first, first, rows, dim - first);
    const Eigen::VectorXd bias = -part * targets.col(0).tail(dim - first);
    panels_.push_back({first, PackedAffine<T>(part.cast<T>(), bias.cast<T>())});
  }
  if (targets_.vary()) shifted_targets_.emplace(upper * (targets.colwise() - targets.col(0)));
}

template <class T>
std::size_t QuadraticForm<T>::workspace_bytes(Index lanes) const {
  return Workspace::bytes<T>(kTileRows * lanes);
}

template <class T>
void QuadraticForm<T>::subtract(ConstBlock<T> x, Index step, Workspace& workspace, T* total) const {
  if (panels_.empty()) {
    subtract_diagonal(x, step, total);
    return;
  }
  const Workspace::Scope scope(workspace);
  const Block<T> products = workspace.take_block<T>(kTileRows, x.lanes);
  const T* const shifts = shifted_targets_ ? shifted_targets_->at(step) : nullptr;
  for (const Panel& panel : panels_) {
    const Block<T> rows = products.rows(0, panel.rows.outputs());
    const ConstBlock<T> tail = x.rows(panel.first, x.dim - panel.first);
    panel.rows.apply(&tail, 1, rows);
    for (Index i = 0; i < rows.dim; ++i) {
      const T* y = rows.row(i);
      const T shift = shifts != nullptr ? shifts[panel.first + i] : T(0);
      for (Index k = 0; k < x.lanes; ++k) total[k] -= (y[k] - shift) * (y[k] - shift);
    }
  }
}

template <class T>
void QuadraticForm<T>::subtract_diagonal(ConstBlock<T> x, Index step, T* total) const {
  const T* const targets = targets_.at(step);
  for (Index i = 0; i < x.dim; ++i) {
    const T weight = diagonal_[static_cast<std::size_t>(i)];
    if (weight == T(0)) continue;
    const T target = targets[i];
    const T* value = x.row(i);
    for (Index k = 0; k < x.lanes; ++k) total[k] -= weight * (value[k] - target) * (value[k] - target);
  }
}

template <class T>
std::size_t QuadraticReward<T>::workspace_bytes(Index lanes) const {
  return form_.workspace_bytes(lanes);
}

template <class T>
void QuadraticReward<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  form_.subtract(term_.at == At::kState ? view.state : view.next, view.step, workspace, total);
}

template <class T>
void QuadraticReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_model_states("reward", "a quadratic term", form_.dim(), state_dim);
}

template <class T>
void QuadraticReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const Index first = step.state(term_.at);
  form_.expand(
      step.step, [&](Index i) { return step.values[first + i]; }, [](Index /*i*/) { return T(1); }, &first, 1, out);
}

template class QuadraticForm<float>;
template class QuadraticForm<double>;
template class QuadraticReward<float>;
template class QuadraticReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

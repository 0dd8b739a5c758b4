#include "dynaplan/planners/reachable_states.hpp"

#include <algorithm>
#include <vector>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Matrix = Eigen::MatrixXd;

constexpr double kRounding = 1e-12;

// States in a new order: first those that a path of entries other than 0 leads to from an action.
struct Order {
  std::vector<Index> states;
  Index connected;
};

Order order_by_paths(const Matrix& a, const Matrix& b) {
  std::vector<Index> states;
  std::vector<bool> met(static_cast<std::size_t>(a.rows()), false);
  const auto meet = [&](Index i) {
    if (met[static_cast<std::size_t>(i)]) return;
    met[static_cast<std::size_t>(i)] = true;
    states.push_back(i);
  };
  for (Index i = 0; i < a.rows(); ++i) {
    if ((b.row(i).array() != 0.0).any()) meet(i);
  }
  // NOLINTNEXTLINE(modernize-loop-convert): they grow meanwhile
  for (std::size_t next = 0; next < states.size(); ++next) {
    for (Index i = 0; i < a.rows(); ++i) {
      if (a(i, states[next]) != 0.0) meet(i);
    }
  }
  const auto connected = static_cast<Index>(states.size());
  for (Index i = 0; i < a.rows(); ++i) meet(i);
  return {std::move(states), connected};
}

// Orthonormal columns that span what actions reach.
Matrix reached(const Matrix& a, const Matrix& b) {
  Matrix found(a.rows(), 0);
  Matrix moved = b;
  double size = b.norm();
  while (moved.cols() > 0 && found.cols() < a.rows()) {
    for (int time = 0; time < 2; ++time) moved -= product(found, transposed_product(found, moved));
    const SingularValues svd = singular_values(moved);
    const Index rank = std::min((svd.values.array() > kRounding * size).count(), a.rows() - found.cols());
    Matrix more(a.rows(), found.cols() + rank);
    more << found, svd.left.leftCols(rank);
    moved = product(a, svd.left.leftCols(rank));
    size = a.norm();
    found = more;
  }
  return found;
}

}  // namespace

ReachableStates reachable_states(const Matrix& a, const Matrix& b) {
  const Index size = a.rows();
  const Order order = order_by_paths(a, b);
  Matrix permutation = Matrix::Zero(size, size);
  for (Index i = 0; i < size; ++i) permutation(order.states[static_cast<std::size_t>(i)], i) = 1.0;
  const Matrix selection = permutation.leftCols(order.connected);
  const Matrix found = reached(product(transposed_product(selection, a), selection), transposed_product(selection, b));
  ReachableStates result{permutation, found.cols()};
  if (result.count > 0 && result.count < order.connected) {
    result.basis.leftCols(order.connected) = product(selection, singular_values(found).left);
  }
  return result;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

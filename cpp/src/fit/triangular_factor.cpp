#include "dynaplan/fit/triangular_factor.hpp"

#include <Eigen/Jacobi>
#include <cmath>
#include <utility>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

TriangularFactor::TriangularFactor(Index columns) : upper_(Eigen::MatrixXd::Zero(columns, columns)) {}

TriangularFactor::TriangularFactor(Eigen::MatrixXd upper, double rows) : upper_(std::move(upper)), rows_(rows) {}

void TriangularFactor::reduce(const double* rows, Index count, Index stride) {
  const Index columns = upper_.cols();
  const Index kept = rows_ > 0.0 ? columns : 0;
  // Fewer rows than columns are filled up with zeros, so that the factor is always square.
  Eigen::MatrixXd stacked = Eigen::MatrixXd::Zero(std::max(kept + count, columns), columns);
  stacked.topRows(kept) = upper_.topRows(kept);
  stacked.middleRows(kept, count) =
      Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>(rows, count, columns, Eigen::OuterStride<>(stride));
  orthogonal_factor(stacked);
  upper_ = stacked.topRows(columns).triangularView<Eigen::Upper>();
}

void TriangularFactor::append(ConstBlock<double> block, double count) {
  reduce(block.data, block.lanes, block.stride);
  rows_ += count;
}

void TriangularFactor::rotate_in(double* row) {
  const Index columns = upper_.cols();
  for (Index j = 0; j < columns; ++j) {
    if (row[j] == 0.0) continue;
    Eigen::JacobiRotation<double> rotation;
    double length = 0.0;
    rotation.makeGivens(upper_(j, j), row[j], &length);
    upper_(j, j) = length;
    const double c = rotation.c();
    const double s = rotation.s();
    for (Index i = j + 1; i < columns; ++i) {
      const double above = upper_(j, i);
      upper_(j, i) = c * above - s * row[i];
      row[i] = s * above + c * row[i];
    }
  }
  rows_ += 1.0;
}

void TriangularFactor::merge(const TriangularFactor& other) {
  reduce(other.upper_.data(), other.upper_.rows(), other.upper_.rows());
  rows_ += other.rows_;
}

void TriangularFactor::discount(double factor) {
  upper_ *= std::sqrt(factor);
  rows_ *= factor;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <Eigen/Core>
#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The upper triangular factor R of rows [features 1 | targets], R^T R = rows^T rows, kept by orthogonal
/// transformations alone (Golub & Van Loan 2013, sec. 5.2 and 6.5). Coefficients, covariances and rank follow from it.
/// Columns may be of any size: where their squares would overflow or vanish, they are scaled for the while.
class TriangularFactor {
 public:
  /// The factor of no rows.
  explicit TriangularFactor(Index columns);
  /// A factor computed elsewhere; `rows` is how many rows it stands for.
  TriangularFactor(Eigen::MatrixXd upper, double rows);

  Index columns() const { return upper_.cols(); }
  const Eigen::MatrixXd& upper() const { return upper_; }
  /// Rows seen; after forgetting, their discounted number.
  double rows() const { return rows_; }

  /// Appends rows: `block` is (columns, K), one row a lane; `count` of them are counted. Householder.
  void append(ConstBlock<double> block, double count);
  /// Appends one row by Givens rotations, in place; `row` (columns) is used up.
  void rotate_in(double* row);
  /// The factor of some of the columns alone, in this order.
  TriangularFactor of_columns(const std::vector<Index>& columns) const;
  /// As if the other factor's rows had been appended.
  void merge(const TriangularFactor& other);
  /// Multiplies the weight of all rows so far by `factor` >= 0.
  void discount(double factor);
  /// Multiplies by `factor`, above 0, the weight of what is known in one direction alone: with M = X^T X of the first
  /// `features` columns and w = M direction, M loses 1 - factor of w w^T / (direction^T w), and no coefficient changes
  /// (Cao & Schwartz 2000). What is left below those columns, the residuals, and the number of rows are multiplied by
  /// `factor_of_rest`.
  void discount_along(const double* direction, Index features, double factor, double factor_of_rest);

 private:
  void reduce(const double* rows, Index count, Index stride);

  Eigen::MatrixXd upper_;
  double rows_ = 0.0;
};

/// The length of a column, whatever its size.
double length_of(const Eigen::Ref<const Eigen::VectorXd>& column);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

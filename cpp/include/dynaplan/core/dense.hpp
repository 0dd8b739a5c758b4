#pragma once

#include <Eigen/Core>
#include <complex>
#include <memory>
#include <optional>
#include <vector>

#include "dynaplan/core/level.hpp"

// Decompositions and products of small dense matrices, each compiled once: their templates cost 2 to 11 s in every file
// that names them. For code that runs once a fit or a plan; kernels have their own loops.

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A = V diag(values) V^T; values in increasing order.
struct SymmetricEigen {
  Eigen::VectorXd values;
  Eigen::MatrixXd vectors;
};
SymmetricEigen symmetric_eigen(const Eigen::MatrixXd& matrix);

/// The same again and again: allocates only where the size changes.
class SymmetricEigenSolver {
 public:
  SymmetricEigenSolver();
  ~SymmetricEigenSolver();
  SymmetricEigenSolver(SymmetricEigenSolver&& other) noexcept;
  SymmetricEigenSolver& operator=(SymmetricEigenSolver&& other) noexcept;

  void compute(const Eigen::MatrixXd& matrix);
  const Eigen::VectorXd& values() const;
  const Eigen::MatrixXd& vectors() const;

 private:
  struct Solver;
  std::unique_ptr<Solver> solver_;
};

/// A = U T U^T with an orthogonal U and a T that is triangular but for blocks of two on its diagonal.
struct RealSchur {
  Eigen::MatrixXd t;
  Eigen::MatrixXd u;
};
/// Nothing where the iteration does not converge.
std::optional<RealSchur> real_schur(const Eigen::MatrixXd& matrix);

/// Of a square matrix; nothing where the iteration does not converge.
std::optional<std::vector<std::complex<double>>> eigenvalues(const Eigen::MatrixXd& matrix);

/// A = U diag(values) V^T with square U and V; values in decreasing order.
struct SingularValues {
  Eigen::VectorXd values;
  Eigen::MatrixXd left;   // U
  Eigen::MatrixXd right;  // V
};
SingularValues singular_values(const Eigen::MatrixXd& matrix);

/// A^-1 B for a square A, by LU with partial pivoting.
Eigen::MatrixXd solve(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);
Eigen::MatrixXd inverse(const Eigen::MatrixXd& a);

/// A^-1 B for a symmetric A, by L D L^T.
Eigen::MatrixXd solve_symmetric(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);
/// The same for a positive definite A; nothing unless each pivot is above `min_pivot` times its entry of the diagonal,
/// whatever the units of the rows.
std::optional<Eigen::MatrixXd> solve_definite(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, double min_pivot);

/// The lower L with L L^T = A of a symmetric positive definite A, of which the lower half is read; nothing where it is
/// not that.
std::optional<Eigen::MatrixXd> lower_factor_of(const Eigen::MatrixXd& matrix);
/// L^-1 of a lower triangular L.
Eigen::MatrixXd inverse_of_lower(const Eigen::MatrixXd& lower);

/// Householder's QR in place: R and, below the diagonal, what makes up Q.
void orthogonal_factor(Eigen::Ref<Eigen::MatrixXd> matrix);
/// An orthonormal basis of what the columns span; they are independent.
Eigen::MatrixXd orthonormal_basis(const Eigen::MatrixXd& columns);

/// e^A = 1 + A + A^2 / 2 + ..., by scaling, squaring and Pade approximants (Higham 2005).
Eigen::MatrixXd exponential(const Eigen::MatrixXd& matrix);

/// A B.
Eigen::MatrixXd product(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);
/// A^T B.
Eigen::MatrixXd transposed_product(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);
/// A B^T.
Eigen::MatrixXd product_transposed(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);
/// (A + A^T) / 2.
Eigen::MatrixXd symmetric_part(const Eigen::MatrixXd& matrix);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

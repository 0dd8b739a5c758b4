#include <Eigen/Eigenvalues>

#include "dynaplan/core/dense.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

struct SymmetricEigenSolver::Solver {
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen;
};

SymmetricEigenSolver::SymmetricEigenSolver() : solver_(std::make_unique<Solver>()) {}
SymmetricEigenSolver::~SymmetricEigenSolver() = default;
SymmetricEigenSolver::SymmetricEigenSolver(SymmetricEigenSolver&& other) noexcept = default;
SymmetricEigenSolver& SymmetricEigenSolver::operator=(SymmetricEigenSolver&& other) noexcept = default;

void SymmetricEigenSolver::compute(const Eigen::MatrixXd& matrix) { solver_->eigen.compute(matrix); }
const Eigen::VectorXd& SymmetricEigenSolver::values() const { return solver_->eigen.eigenvalues(); }
const Eigen::MatrixXd& SymmetricEigenSolver::vectors() const { return solver_->eigen.eigenvectors(); }

SymmetricEigen symmetric_eigen(const Eigen::MatrixXd& matrix) {
  SymmetricEigenSolver solver;
  solver.compute(matrix);
  return {solver.values(), solver.vectors()};
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

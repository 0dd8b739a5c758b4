#pragma once

#include <Eigen/Core>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// x' = A x + B u with the cost x^T Q x + u^T R u + 2 x^T N u of each step.
struct RiccatiProblem {
  Eigen::MatrixXd a;
  Eigen::MatrixXd b;
  Eigen::MatrixXd q;
  Eigen::MatrixXd r;
  Eigen::MatrixXd n;
};

/// The gain K = (R + B^T P B)^-1 (B^T P A + N^T) that is best before the cost x^T P x; u = -K x. Throws NumericalError
/// unless R + B^T P B is positive definite.
Eigen::MatrixXd riccati_gain(const RiccatiProblem& problem, const Eigen::MatrixXd& value);

/// The stabilising solution P of the discrete algebraic Riccati equation
/// P = A^T P A - (A^T P B + N) (R + B^T P B)^-1 (B^T P A + N^T) + Q, with all eigenvalues of A - B K inside the unit
/// circle. By structure-preserving doubling (Chu, Fan, Lin & Wang 2004), refined by Newton's method (Hewer 1971). A and
/// R may be singular. Throws NumericalError saying why where there is no such solution.
Eigen::MatrixXd solve_riccati(const RiccatiProblem& problem);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

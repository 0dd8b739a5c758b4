#pragma once

#include <Eigen/Core>
#include <optional>

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
/// unless R + B^T P B is finite and positive definite.
Eigen::MatrixXd riccati_gain(const RiccatiProblem& problem, const Eigen::MatrixXd& value);

/// The stabilising solution P of the discrete algebraic Riccati equation
/// P = A^T P A - (A^T P B + N) (R + B^T P B)^-1 (B^T P A + N^T) + Q, with all eigenvalues of A - B K inside the unit
/// circle. By structure-preserving doubling (Chu, Fan, Lin & Wang 2004), refined by Newton's method (Hewer 1971). A and
/// R may be singular. Actions reach, at once or by and by, the first `reachable` states alone: below them A and B are
/// 0. Returns nothing where no solution is found, throws NumericalError where R + B^T P B is singular.
std::optional<Eigen::MatrixXd> stabilising_solution(const RiccatiProblem& problem, Index reachable);

/// Throws NumericalError saying why there is no such solution.
[[noreturn]] void throw_unsolvable(const RiccatiProblem& problem, double discount);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

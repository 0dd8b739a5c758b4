#include "dynaplan/planners/riccati.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>
#include <cmath>
#include <complex>
#include <limits>
#include <optional>
#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Matrix = Eigen::MatrixXd;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

Matrix symmetric(const Matrix& matrix) { return 0.5 * (matrix + matrix.transpose()); }

Matrix action_curvature(const RiccatiProblem& problem, const Matrix& value) {
  return symmetric(problem.r + problem.b.transpose() * value * problem.b);
}

// Largest modulus of the eigenvalues; infinite where it cannot be told.
double spectral_radius(const Matrix& matrix) {
  if (!matrix.allFinite()) return std::numeric_limits<double>::infinity();
  const Eigen::EigenSolver<Matrix> solver(matrix, false);
  if (solver.info() != Eigen::Success) return std::numeric_limits<double>::infinity();
  return solver.eigenvalues().cwiseAbs().maxCoeff();
}

Matrix closed_loop(const RiccatiProblem& problem, const Matrix& gain) { return problem.a - problem.b * gain; }

// What P lacks to fulfil the equation, in the form that stays symmetric whatever the gain (Joseph & Bucy 1968).
Matrix residual(const RiccatiProblem& problem, const Matrix& value, const Matrix& gain) {
  const Matrix after = closed_loop(problem, gain);
  return symmetric(after.transpose() * value * after + gain.transpose() * problem.r * gain + problem.q -
                   problem.n * gain - gain.transpose() * problem.n.transpose() - value);
}

// X = F^T X F + C for a stable F, by doubling (Smith 1968).
Matrix solve_stein(Matrix f, Matrix c) {
  for (int doubling = 0; doubling < 64; ++doubling) {
    const Matrix more = f.transpose() * c * f;
    c += more;
    if (!(more.norm() > kEpsilon * c.norm())) break;
    f = (f * f).eval();
  }
  return symmetric(c);
}

// Newton's method from a P whose gain stabilises; each step solves for the correction, so that rounding in P itself
// does not matter. Returns nothing if the gain stops stabilising.
std::optional<Matrix> refined(const RiccatiProblem& problem, Matrix value) {
  double before = std::numeric_limits<double>::infinity();
  for (int iteration = 0; iteration < 60; ++iteration) {
    const Matrix gain = riccati_gain(problem, value);
    const Matrix after = closed_loop(problem, gain);
    if (!(spectral_radius(after) < 1.0)) return std::nullopt;
    const Matrix correction = solve_stein(after, residual(problem, value, gain));
    const double size = correction.norm();
    if (!std::isfinite(size) || (size >= before && size <= 1e-8 * value.norm())) break;
    value += correction;
    before = size;
    if (size <= kEpsilon * value.norm()) break;
  }
  // Towards a loop on the unit circle itself the method creeps for ever, halving what is left at each step.
  constexpr double kClosest = 1e-9;
  const bool settled = before <= 1e-6 * (1.0 + value.norm());
  if (!settled || !(spectral_radius(closed_loop(problem, riccati_gain(problem, value))) < 1.0 - kClosest)) {
    return std::nullopt;
  }
  return value;
}

// Another problem whose solution is P less `shift`, with an R that can be inverted: the cost of finitely many steps
// more is taken off.
struct Shifted {
  Matrix a;  // less what the cost of both x and u together makes of it
  Matrix q;  // likewise
  Matrix g;  // B R^-1 B^T
  Matrix shift;
};

Shifted shifted(const RiccatiProblem& problem) {
  Shifted result;
  result.shift = Matrix::Zero(problem.a.rows(), problem.a.rows());
  for (Index step = 0;; ++step) {
    const Matrix r = action_curvature(problem, result.shift);
    const Matrix mixed = problem.a.transpose() * result.shift * problem.b + problem.n;
    const Matrix q = problem.q - result.shift + problem.a.transpose() * result.shift * problem.a;
    Eigen::CompleteOrthogonalDecomposition<Matrix> decomposed;
    decomposed.setThreshold(1e-10);
    decomposed.compute(r);
    const Matrix inverse = symmetric(decomposed.pseudoInverse());
    const bool regular = decomposed.rank() == r.rows();
    if (regular || step > problem.a.rows()) {
      if (!regular) {
        throw NumericalError(
            "R: R + B^T P B is singular: some action, or some sum of actions, neither costs anything nor does anything "
            "that costs; give it a cost");
      }
      result.a = problem.a - problem.b * inverse * mixed.transpose();
      result.q = symmetric(q - mixed * inverse * mixed.transpose());
      result.g = symmetric(problem.b * inverse * problem.b.transpose());
      return result;
    }
    result.shift = symmetric(result.shift + q - mixed * inverse * mixed.transpose());
  }
}

// Chu, Fan, Lin & Wang 2004, algorithm SDA: after k rounds H is the cost of 2^k steps.
std::optional<Matrix> doubled(const Shifted& problem) {
  Matrix a = problem.a;
  Matrix g = problem.g;
  Matrix h = problem.q;
  const Matrix identity = Matrix::Identity(a.rows(), a.rows());
  for (int round = 0; round < 50; ++round) {
    const Eigen::PartialPivLU<Matrix> factor(identity + g * h);
    const Matrix w_a = factor.solve(a);
    const Matrix w_g = factor.solve(g);
    const Matrix more = a.transpose() * h * w_a;
    g = symmetric(g + a * w_g * a.transpose());
    a = (a * w_a).eval();
    h = symmetric(h + more);
    if (!h.allFinite() || !g.allFinite() || !a.allFinite()) return std::nullopt;
    if (more.norm() <= kEpsilon * h.norm()) break;
  }
  return h;
}

std::string text(const std::complex<double>& value) {
  const std::string real = std::to_string(value.real());
  return value.imag() == 0.0
             ? real
             : real + (value.imag() < 0.0 ? " - " : " + ") + std::to_string(std::abs(value.imag())) + "i";
}

// Whether [A - lambda I, B] has full rank, or its like for Q: the test of Popov, Belevitch and Hautus.
bool has_full_rank(const Eigen::MatrixXcd& matrix) {
  Eigen::ColPivHouseholderQR<Eigen::MatrixXcd> decomposed;
  decomposed.setThreshold(1e-9);
  decomposed.compute(matrix);
  return decomposed.rank() == std::min(matrix.rows(), matrix.cols());
}

[[noreturn]] void throw_reason(const RiccatiProblem& problem, const Shifted& without_mixed) {
  constexpr double kOnCircle = 1e-8;
  const Index size = problem.a.rows();
  const Eigen::EigenSolver<Matrix> of_a(problem.a, false);
  for (Index i = 0; i < size; ++i) {
    const std::complex<double> lambda = of_a.eigenvalues()(i);
    Eigen::MatrixXcd reach(size, size + problem.b.cols());
    reach << problem.a.cast<std::complex<double>>() - lambda * Eigen::MatrixXcd::Identity(size, size),
        problem.b.cast<std::complex<double>>();
    if (std::abs(lambda) >= 1.0 - kOnCircle && !has_full_rank(reach)) {
      throw NumericalError("A, B: the mode of A with eigenvalue " + text(lambda) +
                           " does not die out and no action reaches it; (A, B) must be stabilisable");
    }
  }
  const Eigen::EigenSolver<Matrix> of_rest(without_mixed.a, false);
  for (Index i = 0; i < size; ++i) {
    const std::complex<double> lambda = of_rest.eigenvalues()(i);
    Eigen::MatrixXcd sight(2 * size, size);
    sight << without_mixed.a.cast<std::complex<double>>() - lambda * Eigen::MatrixXcd::Identity(size, size),
        without_mixed.q.cast<std::complex<double>>();
    if (std::abs(std::abs(lambda) - 1.0) < kOnCircle && !has_full_rank(sight)) {
      throw NumericalError("Q: the mode of A with eigenvalue " + text(lambda) +
                           " lasts for ever and costs nothing; it must cost something, or be discounted");
    }
  }
  throw NumericalError(
      "A, B, Q, R: the Riccati equation has no stabilising solution that could be found; Q and R must be positive "
      "semi-definite, and no mode may last for ever without a cost");
}

}  // namespace

Matrix riccati_gain(const RiccatiProblem& problem, const Matrix& value) {
  const Matrix curvature = action_curvature(problem, value);
  const Eigen::LDLT<Matrix> factor(curvature);
  const Eigen::VectorXd pivots = factor.vectorD();
  const double least = 1e-14 * curvature.diagonal().cwiseAbs().maxCoeff();
  if (factor.info() != Eigen::Success || !(pivots.minCoeff() > least)) {
    throw NumericalError(
        "R: R + B^T P B is not positive definite: some action, or some sum of actions, costs nothing or pays for "
        "itself; give it a cost");
  }
  return factor.solve(problem.b.transpose() * value * problem.a + problem.n.transpose());
}

Matrix solve_riccati(const RiccatiProblem& problem) {
  const Shifted regular = shifted(problem);
  std::optional<Matrix> solution;
  if (const std::optional<Matrix> rest = doubled(regular))
    solution = refined(problem, symmetric(*rest + regular.shift));
  if (solution) return *solution;
  // Where growing modes cost nothing, doubling leaves them alone. A little cost on all states finds a gain that does
  // not, and Newton's method leads from there to the solution without (Hewer 1971).
  RiccatiProblem costly = problem;
  const double little = 1e-4 * (1.0 + problem.q.norm() + problem.r.norm());
  costly.q += little * Matrix::Identity(problem.q.rows(), problem.q.rows());
  const Shifted of_costly = shifted(costly);
  if (const std::optional<Matrix> rest = doubled(of_costly)) {
    solution = refined(problem, symmetric(*rest + of_costly.shift));
  }
  if (!solution) throw_reason(problem, regular);
  return *solution;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/riccati.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/dense.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Matrix = Eigen::MatrixXd;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kOnCircle = 1e-8;  // eigenvalues this close to the unit circle are said to lie on it

[[noreturn]] void throw_indefinite() {
  throw NumericalError(
      "R: R + B^T P B is not positive definite: some action, or some sum of actions, costs nothing or "
      "less than nothing; give it a cost");
}

// A^T B A.
Matrix congruence(const Matrix& a, const Matrix& b) { return product(transposed_product(a, b), a); }

// Frobenius', also where its squares overflow.
double norm_of(const Matrix& matrix) {
  const double norm = matrix.norm();
  return std::isfinite(norm) ? norm : matrix.stableNorm();
}

Matrix action_curvature(const RiccatiProblem& problem, const Matrix& value) {
  return symmetric_part(problem.r + congruence(problem.b, value));
}

// Largest modulus of the eigenvalues; infinite where they are not found.
double spectral_radius(const Matrix& matrix) {
  if (matrix.size() == 0) return 0.0;
  if (!matrix.allFinite()) return std::numeric_limits<double>::infinity();
  const std::optional<std::vector<std::complex<double>>> values = eigenvalues(matrix);
  if (!values) return std::numeric_limits<double>::infinity();
  double radius = 0.0;
  for (const std::complex<double>& value : *values) radius = std::max(radius, std::abs(value));
  return radius;
}

Matrix closed_loop(const RiccatiProblem& problem, const Matrix& gain) { return problem.a - product(problem.b, gain); }

// The largest modulus of the modes that actions reach; the others are as A has them.
double loop_radius(const RiccatiProblem& problem, const Matrix& gain, Index reachable) {
  return spectral_radius(closed_loop(problem, gain).topLeftCorner(reachable, reachable));
}

std::optional<Matrix> definite_gain(const RiccatiProblem& problem, const Matrix& value) {
  const Matrix right = product(transposed_product(problem.b, value), problem.a) + problem.n.transpose();
  return solve_definite(action_curvature(problem, value), right, 1e-14);
}

// What P lacks to fulfil the equation, in the form that stays symmetric whatever the gain (Joseph & Bucy 1968).
Matrix residual(const RiccatiProblem& problem, const Matrix& value, const Matrix& gain) {
  const Matrix after = closed_loop(problem, gain);
  const Matrix mixed = product(problem.n, gain);
  return symmetric_part(congruence(after, value) + congruence(gain, problem.r) + problem.q - mixed - mixed.transpose() -
                        value);
}

// X = F^T X F + C for a stable F, by doubling (Smith 1968).
Matrix solve_stein(Matrix f, Matrix c) {
  for (int doubling = 0; doubling < 64; ++doubling) {
    const Matrix more = congruence(f, c);
    c += more;
    if (!(norm_of(more) > kEpsilon * norm_of(c))) break;
    f = product(f, f);
  }
  return symmetric_part(c);
}

// Whether what no action reaches comes to rest by itself, and soon enough that rounding of A leaves digits of its cost.
bool rest_decays(const RiccatiProblem& problem, Index reachable) {
  const Index size = problem.a.rows() - reachable;
  if (size == 0) return true;
  const Matrix rest = problem.a.bottomRightCorner(size, size);
  return spectral_radius(rest) < 1.0 && kEpsilon * norm_of(solve_stein(rest, Matrix::Identity(size, size))) < 1e-3;
}

// Newton's method from a P whose gain stabilises; each step solves for the correction, so that rounding in P itself
// does not matter. Returns nothing if there is no gain any more, or it stops stabilising.
std::optional<Matrix> refined(const RiccatiProblem& problem, Index reachable, Matrix value) {
  double before = std::numeric_limits<double>::infinity();
  for (int iteration = 0; iteration < 60; ++iteration) {
    const std::optional<Matrix> gain = definite_gain(problem, value);
    if (!gain || !(loop_radius(problem, *gain, reachable) < 1.0)) return std::nullopt;
    const Matrix correction = solve_stein(closed_loop(problem, *gain), residual(problem, value, *gain));
    const double size = norm_of(correction);
    if (!std::isfinite(size)) return std::nullopt;
    if (size >= before && size <= 1e-8 * norm_of(value)) break;
    value += correction;
    before = size;
    if (size <= kEpsilon * norm_of(value)) break;
  }
  // Towards a loop on the unit circle itself the method converges linearly, halving what is left at each step.
  constexpr double kClosest = 1e-9;
  const bool settled = before <= 1e-6 * (1.0 + norm_of(value));
  const std::optional<Matrix> gain = settled ? definite_gain(problem, value) : std::nullopt;
  if (!gain || !(loop_radius(problem, *gain, reachable) < 1.0 - kClosest)) return std::nullopt;
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

struct PseudoInverse {
  Matrix inverse;
  bool is_regular;
};

// Of a symmetric matrix; eigenvalues below 1e-10 of the largest count as 0.
PseudoInverse pseudo_inverse(const Matrix& matrix) {
  const SymmetricEigen eigen = symmetric_eigen(matrix);
  const double threshold = 1e-10 * eigen.values.cwiseAbs().maxCoeff();
  PseudoInverse result{Matrix(), true};
  Eigen::VectorXd inverted(eigen.values.size());
  for (Index i = 0; i < inverted.size(); ++i) {
    const bool counts = std::abs(eigen.values(i)) > threshold;
    inverted(i) = counts ? 1.0 / eigen.values(i) : 0.0;
    result.is_regular = result.is_regular && counts;
  }
  result.inverse = product_transposed(eigen.vectors * inverted.asDiagonal(), eigen.vectors);
  return result;
}

Shifted shifted(const RiccatiProblem& problem) {
  Shifted result;
  result.shift = Matrix::Zero(problem.a.rows(), problem.a.rows());
  for (Index step = 0;; ++step) {
    const Matrix r = action_curvature(problem, result.shift);
    const Matrix after = transposed_product(problem.a, result.shift);
    const Matrix mixed = product(after, problem.b) + problem.n;
    const Matrix q = problem.q - result.shift + product(after, problem.a);
    const PseudoInverse of_r = pseudo_inverse(r);
    const Matrix through_action = product(mixed, of_r.inverse);
    if (of_r.is_regular || step > problem.a.rows()) {
      if (!of_r.is_regular) {
        throw NumericalError(
            "R: R + B^T P B is singular: some action, or some sum of actions, neither costs anything nor does anything "
            "that costs; give it a cost");
      }
      const Matrix scaled = product(problem.b, of_r.inverse);
      result.a = problem.a - product_transposed(scaled, mixed);
      result.q = symmetric_part(q - product_transposed(through_action, mixed));
      result.g = symmetric_part(product_transposed(scaled, problem.b));
      return result;
    }
    result.shift = symmetric_part(result.shift + q - product_transposed(through_action, mixed));
  }
}

// Chu, Fan, Lin & Wang 2004, algorithm SDA: after k rounds H is the cost of 2^k steps.
std::optional<Matrix> doubled(const Shifted& problem) {
  Matrix a = problem.a;
  Matrix g = problem.g;
  Matrix h = problem.q;
  const Index size = a.rows();
  const Matrix identity = Matrix::Identity(size, size);
  for (int round = 0; round < 50; ++round) {
    Matrix both(size, 2 * size);
    both << a, g;
    const Matrix w = solve(identity + product(g, h), both);
    const Matrix more = product(transposed_product(a, h), w.leftCols(size));
    g = symmetric_part(g + product_transposed(product(a, w.rightCols(size)), a));
    a = product(a, w.leftCols(size));
    h = symmetric_part(h + more);
    if (!h.allFinite() || !g.allFinite() || !a.allFinite()) return std::nullopt;
    if (norm_of(more) <= kEpsilon * norm_of(h)) break;
  }
  return h;
}

std::string text(const std::complex<double>& value) {
  const std::string real = rounded_text(value.real());
  return value.imag() == 0.0 ? real
                             : real + (value.imag() < 0.0 ? " - " : " + ") + rounded_text(std::abs(value.imag())) + "i";
}

// Whether the complex matrix [A - lambda I, B] has full rank: the test of Popov, Belevitch and Hautus. As a real matrix
// of twice the size it has every singular value twice.
bool has_full_rank(const Matrix& a, const std::complex<double>& lambda, const Matrix& b) {
  const Index size = a.rows();
  const Index columns = size + b.cols();
  Matrix real(size, columns);
  real << a - lambda.real() * Matrix::Identity(size, size), b;
  Matrix matrix(2 * size, 2 * columns);
  matrix << real, Matrix::Zero(size, columns), Matrix::Zero(size, columns), real;
  matrix.block(0, columns, size, size).diagonal().array() += lambda.imag();
  matrix.block(size, 0, size, size).diagonal().array() -= lambda.imag();
  const Eigen::VectorXd values = singular_values(matrix).values;
  return values.minCoeff() > 1e-9 * values.maxCoeff();
}

}  // namespace

Matrix riccati_gain(const RiccatiProblem& problem, const Matrix& value) {
  if (!value.allFinite()) throw NumericalError("A, B, Q, R: the cost to come overflows float64");
  const std::optional<Matrix> gain = definite_gain(problem, value);
  if (!gain) throw_indefinite();
  return *gain;
}

std::optional<Matrix> stabilising_solution(const RiccatiProblem& problem, Index reachable) {
  if (!rest_decays(problem, reachable)) return std::nullopt;
  const Shifted regular = shifted(problem);
  std::optional<Matrix> solution;
  if (const std::optional<Matrix> rest = doubled(regular))
    solution = refined(problem, reachable, symmetric_part(*rest + regular.shift));
  if (solution) return solution;
  // Where growing modes cost nothing, doubling leaves them alone. A little cost on all states finds a gain that does
  // not, and Newton's method leads from there to the solution without (Hewer 1971).
  RiccatiProblem costly = problem;
  const double little = 1e-4 * (1.0 + problem.q.norm() + problem.r.norm());
  costly.q += little * Matrix::Identity(problem.q.rows(), problem.q.rows());
  const Shifted of_costly = shifted(costly);
  const std::optional<Matrix> rest = doubled(of_costly);
  if (!rest) return std::nullopt;
  return refined(problem, reachable, symmetric_part(*rest + of_costly.shift));
}

void throw_unsolvable(const RiccatiProblem& problem, double discount) {
  // The problem's A is the user's times the root of the discount.
  const auto mode_of = [&](const char* matrix, const std::complex<double>& lambda) {
    std::string mode = "the mode of ";
    mode += matrix;
    mode += " with eigenvalue ";
    mode += text(lambda / std::sqrt(discount));
    if (discount < 1.0) mode += ", times the root of the discount,";
    return mode;
  };
  for (const std::complex<double>& lambda : eigenvalues(problem.a).value_or(std::vector<std::complex<double>>())) {
    const double size = std::abs(lambda);
    if (size < 1.0 - kOnCircle || has_full_rank(problem.a, lambda, problem.b)) continue;
    // Rounding alone may have moved it from the unit circle, or across.
    const bool grows = size > 1.0 && has_full_rank(problem.a, lambda / size, Matrix::Zero(problem.a.rows(), 1));
    throw NumericalError("A, B: " + mode_of("A", lambda) + " does not decay" +
                         (grows ? "" : ", or too slowly for float64 to tell,") +
                         " and no action reaches it; (A, B) must be stabilisable");
  }
  const Shifted without_mixed = shifted(problem);
  const Matrix& rest = without_mixed.a;
  for (const std::complex<double>& lambda : eigenvalues(rest).value_or(std::vector<std::complex<double>>())) {
    // Seen from the left: [A - lambda I; Q] has the rank of its transpose.
    if (std::abs(std::abs(lambda) - 1.0) < kOnCircle &&
        !has_full_rank(rest.transpose(), lambda, without_mixed.q.transpose())) {
      throw NumericalError("Q: " + mode_of(problem.n.isZero() ? "A" : "A - B R^-1 N^T", lambda) +
                           " is marginally stable and costs nothing; give it a cost, or discount it");
    }
  }
  const std::optional<Matrix> value = doubled(without_mixed);
  const bool pays = symmetric_eigen(problem.r).values.minCoeff() <= 0.0;
  if (pays && value && !definite_gain(problem, symmetric_part(*value + without_mixed.shift))) throw_indefinite();
  throw NumericalError(
      "A, B, Q, R: no stabilising solution of the Riccati equation is found; Q and R must be positive semi-definite, "
      "and no mode may be close to marginally stable without a cost or out of the actions' reach");
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

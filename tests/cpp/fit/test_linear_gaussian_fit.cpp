#include <doctest/doctest.h>

#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/error.hpp"
#include "dynaplan/fit/linear_gaussian_fit.hpp"
#include "dynaplan/fit/recursive.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace {

// Transitions of a random stable system, with noise.
struct System {
  RowMatrix states;
  RowMatrix actions;
  RowMatrix next_states;

  System(Index rows, Index state_dim, Index action_dim, double noise, unsigned seed)
      : states(random_matrix(rows, state_dim, seed)),
        actions(random_matrix(rows, action_dim, seed + 1)),
        next_states(states * random_matrix(state_dim, state_dim, 77) +
                    actions * random_matrix(action_dim, state_dim, 78) +
                    noise * random_matrix(rows, state_dim, seed + 2)) {}

  RegressionData data(Index first, Index count) const {
    return {states.row(first).data(), actions.row(first).data(), next_states.row(first).data(), nullptr, count};
  }
  RegressionData data() const { return data(0, states.rows()); }
};

RegressionDesign linear(Index state_dim, Index action_dim) {
  return {state_dim, PolynomialFeatures(state_dim + action_dim, 1), true, true};
}

// The same regression by Eigen's Householder QR of the whole matrix in long double.
Eigen::MatrixXd reference(const System& system) {
  using Long = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
  const Index rows = system.states.rows();
  Long x(rows, system.states.cols() + system.actions.cols() + 1);
  x << system.states.cast<long double>(), system.actions.cast<long double>(), Long::Ones(rows, 1);
  const Long y = system.next_states.cast<long double>();
  return Eigen::HouseholderQR<Long>(x).solve(y).cast<double>().transpose();
}

double error(const LinearGaussianFit& fit, const System& system) {
  const Eigen::MatrixXd expected = reference(system);
  Eigen::MatrixXd coefficients(expected.rows(), expected.cols());
  coefficients << fit.model().parameters().weights, fit.model().parameters().intercept;
  return (coefficients - expected).norm() / expected.norm();
}

}  // namespace

TEST_CASE("few rows and many rows give the reference coefficients, whatever the threads") {
  // 20,000 rows of 9 columns take the preconditioned path over two chunks.
  for (const Index rows : {9, 50, 143, 145, 1000, 20000}) {
    const System system(rows, 4, 2, 0.1, 3);
    const LinearGaussianFit one = LinearGaussianFit::fit(linear(4, 2), system.data(), {}, 1);
    const LinearGaussianFit two = LinearGaussianFit::fit(linear(4, 2), system.data(), {}, 2);
    CHECK(error(one, system) < 1e-13);
    CHECK(one.factor().upper() == two.factor().upper());
    CHECK(one.solution().rank == 7);
    CHECK(one.factor().rows() == rows);
  }
}

TEST_CASE("condition number 1e6 costs no more digits than Householder's factorisation of the whole matrix") {
  for (const Index rows : {100, 5000}) {
    System system(rows, 4, 2, 0.0, 5);
    system.states.col(1) = system.states.col(0) + 1e-6 * system.states.col(1);
    system.next_states = system.states * random_matrix(4, 4, 77) + system.actions * random_matrix(2, 4, 78);
    const LinearGaussianFit fit = LinearGaussianFit::fit(linear(4, 2), system.data(), {}, 1);
    CHECK(error(fit, system) < 1e-9);
    CHECK(fit.solution().rank == 7);
  }
}

TEST_CASE("a sample that misses a column does not spoil the fit") {
  // Action 0 moves in a few rows only, which the evenly spaced sample is unlikely to hold.
  System system(20000, 4, 2, 0.01, 9);
  for (Index i = 0; i < 20000; ++i) {
    if (i < 19000 || i >= 19040) system.actions(i, 0) = 0.0;
  }
  system.next_states = system.states * random_matrix(4, 4, 77) + system.actions * random_matrix(2, 4, 78) +
                       0.01 * random_matrix(20000, 4, 10);
  CHECK(error(LinearGaussianFit::fit(linear(4, 2), system.data(), {}, 2), system) < 1e-12);
}

TEST_CASE("updating, merging and recursion equal one fit of all rows") {
  const System system(300, 3, 1, 0.1, 11);
  const LinearGaussianFit all = LinearGaussianFit::fit(linear(3, 1), system.data(), {}, 1);
  const LinearGaussianFit first = LinearGaussianFit::fit(linear(3, 1), system.data(0, 100), {}, 1);
  const LinearGaussianFit second = LinearGaussianFit::fit(linear(3, 1), system.data(100, 200), {}, 1);
  RecursiveLeastSquares recursive(linear(3, 1), {}, 1.0, Forgetting::kExponential);
  for (Index i = 0; i < 300; ++i) {
    recursive.update(system.states.row(i).data(), system.actions.row(i).data(), system.next_states.row(i).data());
  }
  for (const LinearGaussianFit& fit :
       {first.updated(system.data(100, 200), 1), first.merged(second), recursive.fit()}) {
    CHECK((fit.model().parameters().weights - all.model().parameters().weights).norm() < 1e-13);
    CHECK((fit.solution().residual_covariance - all.solution().residual_covariance).norm() < 1e-14);
    CHECK(fit.factor().rows() == 300);
    CHECK((fit.inputs_seen().low == all.inputs_seen().low).all());
  }
}

TEST_CASE("a value that is not finite is named, and leaves a recursion as it was") {
  System system(1000, 2, 1, 0.1, 1);
  system.actions(567, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(LinearGaussianFit::fit(linear(2, 1), system.data(), {}, 1),
                       "actions: row 567 is nan, must be finite", ValueError);
  RecursiveLeastSquares recursive(linear(2, 1), {}, 0.9, Forgetting::kExponential);
  const double bad[] = {1.0, std::numeric_limits<double>::infinity()};
  CHECK_THROWS_AS(recursive.update(bad, bad, bad), ValueError);
  CHECK(recursive.rows() == 0.0);
  CHECK_THROWS_AS(recursive.fit(), ValueError);
  const System overflowing(10, 2, 1, 1e200, 1);
  CHECK_THROWS_AS(LinearGaussianFit::fit(linear(2, 1), overflowing.data(), {}, 1), NumericalError);
}

TEST_CASE("with directional forgetting what is known stays within bounds, whatever the system does for how long") {
  // Phases in which all inputs vary, none, one alone, and all by next to nothing.
  RecursiveLeastSquares recursive(linear(2, 1), {}, 0.95, Forgetting::kDirectional);
  const Eigen::MatrixXd truth = random_matrix(2, 3, 7);
  const Eigen::MatrixXd numbers = random_matrix(100000, 5, 8);
  double least = std::numeric_limits<double>::infinity();
  double most = 0.0;
  for (Index k = 0; k < numbers.rows(); ++k) {
    Eigen::VectorXd inputs = numbers.row(k).head(3);
    const Index phase = (k / 2000) % 4;
    if (phase == 1) inputs.setConstant(0.5);
    if (phase == 2) inputs.tail(2).setZero();
    if (phase == 3) inputs *= 1e-4;
    const Eigen::VectorXd next = truth * inputs + 0.01 * numbers.row(k).tail(2).transpose();
    recursive.update(inputs.data(), inputs.data() + 2, next.data());
    if (k % 100 != 99) continue;
    const LinearGaussianFit fit = recursive.fit();
    const Eigen::MatrixXd upper = fit.factor().upper().topLeftCorner(4, 4);
    const Eigen::VectorXd values = upper.jacobiSvd().singularValues();
    least = std::min(least, values(3));
    most = std::max(most, values(0));
    Eigen::MatrixXd change = fit.model().parameters().weights - truth;
    CHECK(change.norm() < 0.05);
    CHECK(fit.solution().rank == 4);
  }
  CHECK(least > 1.0);   // the covariance is below that of one row
  CHECK(most < 100.0);  // and of 10,000
}

TEST_CASE("a threshold leaves the terms of a system out that it does not have, each target's by itself") {
  System system(60, 2, 1, 0.0, 11);
  system.next_states.col(0) =
      0.5 * system.states.col(0) + 2.0 * system.states.col(1).cwiseProduct(system.actions.col(0));
  system.next_states.col(1) = system.states.col(1);  // it never changes
  const RegressionDesign design{2, PolynomialFeatures(3, 2), true, true};
  const LinearGaussianFit fit = LinearGaussianFit::fit(design, system.data(), {0.0, 0.01}, 1);
  // States, action, then xx xy xa yy ya aa.
  Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(2, 9);
  expected(0, 0) = 0.5;
  expected(0, 7) = 2.0;
  expected(1, 1) = 1.0;
  const Eigen::MatrixXd& weights = fit.model().parameters().weights;
  CHECK((weights - expected).norm() < 1e-12);
  CHECK(((weights.array() == 0.0) == (expected.array() == 0.0)).all());
  CHECK(fit.model().parameters().intercept.norm() == 0.0);
  CHECK(fit.solution().degrees_of_freedom == Eigen::Vector2d(58.0, 60.0));
  REQUIRE(fit.solution().spreads.size() == 2);
  CHECK(fit.solution().spreads[0].cols() == 2);
  CHECK(fit.solution().spreads[1].cols() == 0);
}

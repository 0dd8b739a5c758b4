#include "dynaplan/fit/gaussian_process_fit.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/core/error.hpp"
#include "dynaplan/fit/gaussian_likelihood.hpp"
#include "dynaplan/fit/quasi_newton.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;

namespace {

class Stop final : public Interrupt {
 public:
  bool requested() const override { return true; }
};

// Two states and an action; the first change is smooth, the second constant.
GaussianProcessData data(Index rows, double noise) {
  GaussianProcessData made{random_matrix(rows, 3, 1), noise * random_matrix(rows, 2, 2), Eigen::Vector2d(1.0, 1.0)};
  for (Index i = 0; i < rows; ++i) made.changes(i, 0) += std::sin(2.0 * made.inputs(i, 0)) + made.inputs(i, 2);
  made.changes.col(1).setConstant(0.25);
  return made;
}

GaussianProcessFitSettings settings() {
  GaussianProcessFitSettings made;
  made.seed = 3;
  return made;
}

void check_gradient(const Objective& objective, const Eigen::VectorXd& at) {
  Eigen::VectorXd gradient(at.size());
  objective(at, gradient);
  Eigen::VectorXd unused(at.size());
  for (Index i = 0; i < at.size(); ++i) {
    const double step = 1e-5;
    const Eigen::VectorXd move = step * Eigen::VectorXd::Unit(at.size(), i);
    const double slope = (objective(at + move, unused) - objective(at - move, unused)) / (2.0 * step);
    CHECK(gradient(i) == doctest::Approx(slope).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("the gradients of likelihood and loss are those of differences") {
  const GaussianLikelihood likelihood(random_matrix(25, 3, 1), random_matrix(25, 1, 2).col(0));
  const auto value = [&](const Eigen::VectorXd& at, Eigen::VectorXd& gradient) {
    return likelihood.value(at, gradient);
  };
  const auto loss = [&](const Eigen::VectorXd& at, Eigen::VectorXd& gradient) { return likelihood.loss(at, gradient); };
  Eigen::VectorXd near_the_walls(5);
  near_the_walls << 4.7, -2.4, 0.3, 4.7, -4.7;
  for (const double noise : {0.0, -2.0, -4.0}) {
    Eigen::VectorXd at(5);
    at << 0.3, -0.4, 1.0, 0.5, noise;
    check_gradient(value, at);
    check_gradient(loss, at);
  }
  check_gradient(loss, near_the_walls);
}

TEST_CASE("the likelihood is the posterior's") {
  const Eigen::MatrixXd inputs = random_matrix(20, 2, 1);
  const Eigen::VectorXd targets = random_matrix(20, 1, 2).col(0);
  const GaussianLikelihood likelihood(inputs, targets);
  const GaussianPosterior posterior(inputs, targets, {Eigen::Vector2d(0.5, 2.0), 3.0, 0.2});
  Eigen::VectorXd at(4);
  at << std::log(2.0), std::log(0.5), std::log(3.0), std::log(0.2);
  Eigen::VectorXd gradient(4);
  CHECK(likelihood.value(at, gradient) == doctest::Approx(posterior.log_marginal_likelihood()).epsilon(1e-12));
}

TEST_CASE("the search finds the bottom of a curved valley, and stops where there is none") {
  const auto valley = [](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    const double away = x(1) - x(0) * x(0);
    gradient << -2.0 * (1.0 - x(0)) - 400.0 * x(0) * away, 200.0 * away;
    return (1.0 - x(0)) * (1.0 - x(0)) + 100.0 * away * away;
  };
  const Minimum found = minimise(valley, Eigen::Vector2d(-1.2, 1.0));
  CHECK(found.value < 1e-8);
  CHECK((found.at - Eigen::Vector2d(1.0, 1.0)).norm() < 1e-3);

  const auto slope = [](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    gradient(0) = 1.0;
    return x(0) > -5.0 ? x(0) : std::nan("");  // as of a covariance that is not positive definite
  };
  const Minimum end = minimise(slope, Eigen::VectorXd::Zero(1));
  CHECK(end.value < -4.9);
  CHECK(std::isfinite(end.value));
}

TEST_CASE("a fit describes what is smooth, and finds the noise and what has no effect") {
  const GaussianProcessParameters fitted = fit_gaussian_process(data(120, 0.1), settings());
  const GaussianKernel& kernel = fitted.states[0];
  CHECK(kernel.noise_std == doctest::Approx(0.1).epsilon(0.2));
  CHECK(kernel.inverse_length_scales(1) < 0.1 * kernel.inverse_length_scales(0));
  const GaussianKernel& constant = fitted.states[1];
  CHECK(constant.noise_std < 1e-14);
  CHECK(constant.inverse_length_scales.isZero());
}

TEST_CASE("units and origins of the inputs and changes change nothing but the units of the result") {
  const GaussianProcessData plain = data(60, 0.1);
  GaussianProcessData moved = plain;
  moved.inputs.col(0) = 1e6 + 1024.0 * plain.inputs.col(0).array();
  moved.changes.col(0) *= 1.0 / 4096.0;
  const GaussianProcessParameters one = fit_gaussian_process(plain, settings());
  const GaussianProcessParameters other = fit_gaussian_process(moved, settings());
  CHECK(other.states[0].inverse_length_scales(0) * 1024.0 ==
        doctest::Approx(one.states[0].inverse_length_scales(0)).epsilon(1e-3));
  CHECK(other.states[0].noise_std * 4096.0 == doctest::Approx(one.states[0].noise_std).epsilon(1e-3));
}

TEST_CASE("the same seed gives the same bits for any threads, on some of the rows or on all") {
  for (const Index rows : {40, 300}) {
    GaussianProcessData given = data(rows, 0.1);
    given.changes.col(1) = given.changes.col(0).reverse();
    GaussianProcessFitSettings wanted = settings();
    wanted.hyperparameter_rows = 150;
    const GaussianProcessParameters one = fit_gaussian_process(given, wanted);
    wanted.threads = 2;
    const GaussianProcessParameters two = fit_gaussian_process(given, wanted);
    for (std::size_t d = 0; d < 2; ++d) {
      CHECK(one.states[d].inverse_length_scales == two.states[d].inverse_length_scales);
      CHECK(one.states[d].noise_std == two.states[d].noise_std);
    }
  }
}

TEST_CASE("an input that never varied has no effect, nor have all of them") {
  GaussianProcessData given = data(50, 0.1);
  given.inputs.col(1).setConstant(3.0);
  CHECK(fit_gaussian_process(given, settings()).states[0].inverse_length_scales(1) == 0.0);
  given.inputs.setConstant(3.0);
  const GaussianProcessParameters constant = fit_gaussian_process(given, settings());
  CHECK(constant.states[0].inverse_length_scales.isZero());
  const GaussianProcess process(constant, 1);
  CHECK(std::isfinite(process.posterior(0).log_marginal_likelihood()));
}

TEST_CASE("a fit that is interrupted throws") {
  const Stop stop;
  CHECK_THROWS_AS(fit_gaussian_process(data(30, 0.1), settings(), &stop), Error);
}

TEST_CASE("data and settings that are out of range are refused") {
  GaussianProcessFitSettings wrong = settings();
  wrong.starts = 0;
  CHECK_THROWS_AS(fit_gaussian_process(data(9, 0.1), wrong), ValueError);
  wrong = settings();
  wrong.hyperparameter_rows = 0;
  CHECK_THROWS_AS(fit_gaussian_process(data(9, 0.1), wrong), ValueError);
  GaussianProcessData given = data(9, 0.1);
  given.inputs(2, 1) = HUGE_VAL;
  CHECK_THROWS_AS(fit_gaussian_process(given, settings()), ValueError);
  given = data(9, 0.1);
  given.inputs.col(0) *= 1e200;
  CHECK_THROWS_AS(fit_gaussian_process(given, settings()), NumericalError);
}

#include "dynaplan/models/residual_dynamics.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/core/error.hpp"
#include "dynaplan/models/central_differences.hpp"
#include "dynaplan/models/linear.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

constexpr Index kLanes = 16;  // whole vectors of either type

// Two states and one action, with all products of pairs unless `degree` is 1, and noise.
template <class T>
std::shared_ptr<const LinearDynamics<T>> system(int degree, unsigned seed, double noise) {
  const PolynomialFeatures features(3, degree);
  const Eigen::MatrixXd weights = random_matrix(2, 3 + features.products_count(), seed);
  return std::make_shared<const LinearDynamics<T>>(2, features, 0.3 * weights, Eigen::Vector2d(0.5, -0.1),
                                                   noise * Eigen::MatrixXd::Identity(2, 2));
}

template <class T>
void step(const Dynamics<T>& dynamics, const Tile<T>& state, const Tile<T>& action, Propagation propagation,
          Tile<T>& next) {
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  Draw draw;
  draw.propagation = propagation;
  dynamics.step(state.view(), action.view(), draw, workspace, next.block());
}

}  // namespace

TEST_CASE_TEMPLATE("a step is what is known plus the rest, with the noise of the rest alone", T, float, double) {
  const auto prior = system<T>(2, 1, 7.0);
  const auto rest = system<T>(2, 2, 0.5);
  const ResidualDynamics<T> sum(prior, rest);
  const Tile<T> state(2, kLanes, 3);
  const Tile<T> action(1, kLanes, 4);
  for (const Propagation propagation : {Propagation::kMean, Propagation::kSample}) {
    Tile<T> known(2, kLanes);
    Tile<T> learned(2, kLanes);
    Tile<T> next(2, kLanes);
    step<T>(*prior, state, action, Propagation::kMean, known);
    step<T>(*rest, state, action, propagation, learned);
    step<T>(sum, state, action, propagation, next);
    for (Index k = 0; k < kLanes; ++k) {
      for (Index d = 0; d < 2; ++d) {
        const auto expected = static_cast<double>(known(d, k) + learned(d, k) - state(d, k));
        CHECK(next(d, k) == doctest::Approx(expected).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("the derivatives of the sum are those of differences") {
  const ResidualDynamics<double> sum(system<double>(2, 1, 0.0), system<double>(2, 2, 0.0));
  const Tile<double> state(2, kLanes, 3);
  const Tile<double> action(1, kLanes, 4);
  Tile<double> next[] = {{2, kLanes}, {2, kLanes}};
  Tile<double> of_state[] = {{4, kLanes}, {4, kLanes}};
  Tile<double> of_action[] = {{2, kLanes}, {2, kLanes}};
  Workspace workspace;
  workspace.reserve(sum.jacobians_workspace_bytes(kLanes) + central_differences_bytes(sum, kLanes));
  sum.jacobians(state.view(), action.view(), workspace, {next[0].block(), of_state[0].block(), of_action[0].block()});
  central_differences(sum, state.view(), action.view(), workspace,
                      {next[1].block(), of_state[1].block(), of_action[1].block()});
  for (Index k = 0; k < kLanes; ++k) {
    for (Index row = 0; row < 2; ++row) CHECK(next[0](row, k) == doctest::Approx(next[1](row, k)));
    for (Index row = 0; row < 4; ++row) CHECK(std::abs(of_state[0](row, k) - of_state[1](row, k)) < 1e-8);
    for (Index row = 0; row < 2; ++row) CHECK(std::abs(of_action[0](row, k) - of_action[1](row, k)) < 1e-8);
  }
}

TEST_CASE("the terms of a linear sum make the same step, and a sum that is not linear has none") {
  const ResidualDynamics<double> sum(system<double>(1, 1, 0.0), system<double>(1, 2, 0.0));
  const Tile<double> state(2, kLanes, 3);
  const Tile<double> action(1, kLanes, 4);
  Tile<double> next(2, kLanes);
  step<double>(sum, state, action, Propagation::kMean, next);
  const std::optional<LinearTerms> terms = sum.linear_terms();
  REQUIRE(terms);
  for (Index k = 0; k < kLanes; ++k) {
    const Eigen::Vector2d expected = terms->state * Eigen::Vector2d(state(0, k), state(1, k)) +
                                     terms->action.col(0) * action(0, k) + terms->constant;
    for (Index d = 0; d < 2; ++d) CHECK(next(d, k) == doctest::Approx(expected(d)));
  }
  CHECK_FALSE(ResidualDynamics<double>(system<double>(2, 1, 0.0), system<double>(1, 2, 0.0)).linear_terms());
}

TEST_CASE("both parts are of one system") {
  const PolynomialFeatures features(2, 1);
  const auto other = std::make_shared<const LinearDynamics<double>>(
      1, features, Eigen::MatrixXd::Ones(1, 2), Eigen::VectorXd::Zero(1), Eigen::MatrixXd::Zero(1, 1));
  CHECK_THROWS_AS(ResidualDynamics<double>(other, system<double>(1, 1, 0.0)), ShapeError);
}

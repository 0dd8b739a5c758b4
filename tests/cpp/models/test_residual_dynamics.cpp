#include "dynaplan/models/residual_dynamics.hpp"

#include <doctest/doctest.h>

#include "dynaplan/core/error.hpp"
#include "two_states.hpp"

using namespace dynaplan;
using dynaplan_test::check_jacobians;
using dynaplan_test::kLanes;
using dynaplan_test::Tile;
using dynaplan_test::two_states;

namespace {

// Two states and one action.
template <class T>
std::shared_ptr<const LinearDynamics<T>> system(int degree, unsigned seed, double noise) {
  return std::make_shared<const LinearDynamics<T>>(two_states<T>(1, degree, seed, 0.3, noise));
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
  check_jacobians(ResidualDynamics<double>(system<double>(2, 1, 0.0), system<double>(2, 2, 0.0)), 1e-8);
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

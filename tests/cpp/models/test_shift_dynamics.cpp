#include "dynaplan/models/shift_dynamics.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "dynaplan/models/angle_dynamics.hpp"
#include "two_states.hpp"

using namespace dynaplan;
using dynaplan_test::check_jacobians;
using dynaplan_test::kLanes;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

// The second state is the first one a step ago, the third an action a step ago.
const std::vector<Shift> kShifts{{1, 0, false}, {2, 1, true}};

// Three states and two actions, with noise in all states.
template <class T>
std::shared_ptr<const LinearDynamics<T>> of_three_states(int degree) {
  const PolynomialFeatures features(5, degree);
  const Eigen::MatrixXd weights = 0.3 * random_matrix(3, 5 + features.products_count(), 1);
  return std::make_shared<const LinearDynamics<T>>(3, features, weights, Eigen::Vector3d(0.5, -0.1, 0.2),
                                                   0.1 * Eigen::MatrixXd::Identity(3, 3));
}

}  // namespace

TEST_CASE_TEMPLATE("shifts are copied to the bit, and the rest is as inside", T, float, double) {
  const auto inside = of_three_states<T>(2);
  const ShiftDynamics<T> dynamics(inside, kShifts);
  const Tile<T> state(3, kLanes, 3);
  const Tile<T> action(2, kLanes, 4);
  Tile<T> next(3, kLanes);
  Tile<T> expected(3, kLanes);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  for (const Propagation propagation : {Propagation::kMean, Propagation::kSample}) {
    Draw draw;
    draw.propagation = propagation;
    dynamics.step(state.view(), action.view(), draw, workspace, next.block());
    inside->step(state.view(), action.view(), draw, workspace, expected.block());
    for (Index k = 0; k < kLanes; ++k) {
      CHECK(next(0, k) == expected(0, k));
      CHECK(next(1, k) == state(0, k));
      CHECK(next(2, k) == action(1, k));
    }
  }
}

TEST_CASE("the derivatives of shifts are exact, and the others those of differences") {
  const ShiftDynamics<double> dynamics(of_three_states<double>(2), kShifts);
  check_jacobians(dynamics, 1e-8);
  Tile<double> next(3, kLanes);
  Tile<double> of_state(9, kLanes);
  Tile<double> of_action(6, kLanes);
  const Tile<double> state(3, kLanes, 3);
  const Tile<double> action(2, kLanes, 4);
  Workspace workspace;
  workspace.reserve(dynamics.jacobians_workspace_bytes(kLanes));
  dynamics.jacobians(state.view(), action.view(), workspace, {next.block(), of_state.block(), of_action.block()});
  for (Index k = 0; k < kLanes; ++k) {
    CHECK(next(1, k) == state(0, k));
    CHECK(next(2, k) == action(1, k));
    for (Index i = 0; i < 3; ++i) {
      CHECK(of_state(3 + i, k) == (i == 0 ? 1.0 : 0.0));
      CHECK(of_state(6 + i, k) == 0.0);
    }
    for (Index j = 0; j < 2; ++j) {
      CHECK(of_action(2 + j, k) == 0.0);
      CHECK(of_action(4 + j, k) == (j == 1 ? 1.0 : 0.0));
    }
  }
}

TEST_CASE("the terms of linear dynamics with shifts make the same step") {
  const ShiftDynamics<double> dynamics(of_three_states<double>(1), kShifts);
  const std::optional<LinearTerms> terms = dynamics.linear_terms();
  REQUIRE(terms);
  CHECK(terms->state.row(1) == Eigen::RowVector3d(1.0, 0.0, 0.0));
  CHECK(terms->action.row(2) == Eigen::RowVector2d(0.0, 1.0));
  CHECK(terms->state.row(2).isZero(0.0));
  CHECK(terms->constant.tail(2).isZero(0.0));
  CHECK_FALSE(ShiftDynamics<double>(of_three_states<double>(2), kShifts).linear_terms());
}

TEST_CASE("a copied angle is brought into its range by the dynamics of angles") {
  const Angles angles{{0, 0.0, 1.0, 1.0}, {1, 0.0, 1.0, 1.0}};
  const auto shifted = std::make_shared<const ShiftDynamics<double>>(of_three_states<double>(1), kShifts);
  const AngleDynamics<double> dynamics(shifted, angles, AngleInputs::kThemselves);
  Tile<double> state(3, kLanes, 3);
  state(0, 0) = 0.25;
  state(0, 1) = 2.25;
  const Tile<double> action(2, kLanes, 4);
  Tile<double> next(3, kLanes);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  dynamics.step(state.view(), action.view(), Draw{}, workspace, next.block());
  CHECK(next(1, 0) == 0.25);
  CHECK(next(1, 1) == 0.25);
}

TEST_CASE("shifts that do not fit the model are refused") {
  const auto refuses = [](const std::vector<Shift>& shifts) {
    CHECK_THROWS(ShiftDynamics<double>(of_three_states<double>(1), shifts));
  };
  refuses({{3, 0, false}});
  refuses({{-1, 0, false}});
  refuses({{1, 0, false}, {1, 2, false}});
  refuses({{2, 0, false}, {1, 0, false}});
  refuses({{1, 3, false}});
  refuses({{1, 2, true}});
}

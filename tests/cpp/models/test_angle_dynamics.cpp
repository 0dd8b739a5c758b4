#include "dynaplan/models/angle_dynamics.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "dynaplan/models/delayed_dynamics.hpp"
#include "two_states.hpp"

using namespace dynaplan;
using dynaplan_test::check_jacobians;
using dynaplan_test::kLanes;
using dynaplan_test::Tile;
using dynaplan_test::two_states;

namespace {

constexpr double kHalfTurn = 0.5 * kTurn;

const Angles kAngles{{1, -kHalfTurn, kHalfTurn, kTurn}};

// Two states and two actions, or a cosine and an action, with all products of pairs.
template <class T>
std::shared_ptr<const LinearDynamics<T>> of_pairs() {
  return std::make_shared<const LinearDynamics<T>>(two_states<T>(2, 2, 1, 1.0, 0.0));
}

}  // namespace

TEST_CASE_TEMPLATE("angles are brought into their ranges, ends and nan stay", T, float, double) {
  Tile<T> state(2, kLanes);
  const T half = static_cast<T>(kHalfTurn);
  state(1, 0) = half;
  state(1, 1) = -half;
  state(1, 2) = half + T(1);
  state(1, 3) = T(-100);
  state(1, 4) = std::numeric_limits<T>::quiet_NaN();
  state(0, 2) = T(50);
  wrap(kAngles, state.block());
  CHECK(state(1, 0) == half);
  CHECK(state(1, 1) == -half);
  CHECK(static_cast<double>(state(1, 2)) == doctest::Approx(1.0 - kHalfTurn));
  CHECK(static_cast<double>(state(1, 3)) == doctest::Approx(16.0 * kTurn - 100.0).epsilon(1e-4));
  CHECK(std::isnan(state(1, 4)));
  CHECK(state(0, 2) == T(50));
}

TEST_CASE("a step is that of the dynamics inside, wrapped") {
  const auto inside = of_pairs<double>();
  const AngleDynamics<double> dynamics(inside, kAngles, AngleInputs::kThemselves);
  REQUIRE(dynamics.action_dim() == 2);
  const Tile<double> state(2, kLanes, 3);
  const Tile<double> action(2, kLanes, 4);
  Tile<double> next(2, kLanes);
  Tile<double> expected(2, kLanes);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  dynamics.step(state.view(), action.view(), Draw{}, workspace, next.block());
  inside->step(state.view(), action.view(), Draw{}, workspace, expected.block());
  for (Index k = 0; k < kLanes; ++k) {
    CHECK(next(0, k) == expected(0, k));
    CHECK(std::abs(next(1, k)) <= kHalfTurn);
    CHECK(std::abs(short_way(next(1, k) - expected(1, k), kTurn)) < 1e-12);
  }
}

TEST_CASE("sines and cosines of angles in any unit are what the dynamics inside are given") {
  const Angles degrees{{1, 0.0, 360.0, 360.0}};
  const auto inside = of_pairs<double>();
  const AngleDynamics<double> dynamics(inside, degrees, AngleInputs::kSineCosine);
  REQUIRE(dynamics.action_dim() == 1);
  Tile<double> state(2, kLanes, 3);
  for (Index k = 0; k < kLanes; ++k) state(1, k) = 180.0 + 100.0 * state(1, k);
  const Tile<double> action(1, kLanes, 4);
  Tile<double> seen(2, kLanes);
  Tile<double> acting(2, kLanes);
  for (Index k = 0; k < kLanes; ++k) {
    seen(0, k) = state(0, k);
    seen(1, k) = std::sin(state(1, k) / 360.0 * kTurn);
    acting(0, k) = std::cos(state(1, k) / 360.0 * kTurn);
    acting(1, k) = action(0, k);
  }
  Tile<double> next(2, kLanes);
  Tile<double> expected(2, kLanes);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  dynamics.step(state.view(), action.view(), Draw{}, workspace, next.block());
  inside->step(seen.view(), acting.view(), Draw{}, workspace, expected.block());
  for (Index k = 0; k < kLanes; ++k) {
    CHECK(next(0, k) == doctest::Approx(expected(0, k)));
    CHECK(next(1, k) >= 0.0);
    CHECK(next(1, k) <= 360.0);
    const double change = expected(1, k) - seen(1, k);
    CHECK(std::abs(short_way(next(1, k) - state(1, k) - change, 360.0)) < 1e-9);
  }
}

TEST_CASE("the derivatives of dynamics with angles are those of differences the short way round") {
  for (const AngleInputs inputs : {AngleInputs::kThemselves, AngleInputs::kSineCosine}) {
    check_jacobians(AngleDynamics<double>(of_pairs<double>(), kAngles, inputs), 1e-7);
  }
}

TEST_CASE("behind a queue of actions the angles are further on") {
  const AngleDynamics<double> dynamics(of_pairs<double>(), kAngles, AngleInputs::kThemselves);
  const DelayedDynamics<double> delayed(dynamics, {{2, 0}, {0.0, 0.0}});
  REQUIRE(delayed.angles() != nullptr);
  CHECK(delayed.angles()->at(0).state == 3);
  CHECK(DelayedDynamics<double>(*of_pairs<double>(), {{2, 0}, {0.0, 0.0}}).angles() == nullptr);
}

TEST_CASE("angles that are none are refused") {
  const auto refuses = [](const Angles& angles) {
    CHECK_THROWS(AngleDynamics<double>(of_pairs<double>(), angles, AngleInputs::kThemselves));
  };
  refuses({{2, 0.0, 1.0, 1.0}});
  refuses({{1, 0.0, 1.0, 1.0}, {0, 0.0, 1.0, 1.0}});
  refuses({{0, 0.0, 1.0, 2.0}});
  refuses({{0, 0.0, 0.0, 0.0}});
}

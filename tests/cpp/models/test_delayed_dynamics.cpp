#include "dynaplan/models/delayed_dynamics.hpp"

#include <doctest/doctest.h>

#include "two_states.hpp"

using namespace dynaplan;
using dynaplan_test::check_jacobians;
using dynaplan_test::kLanes;
using dynaplan_test::Tile;
using dynaplan_test::two_states;

namespace {

template <class T>
LinearDynamics<T> of_three_actions(int degree) {
  return two_states<T>(3, degree, 1, 0.3, 0.0);
}

const ActionDelay kDelay{{2, 0, 0}, {0.0, 0.25, 0.0}};  // a queue of two entries and of one

}  // namespace

TEST_CASE_TEMPLATE("what was sent acts late, in shares", T, float, double) {
  const LinearDynamics<T> undelayed = of_three_actions<T>(2);
  const DelayedDynamics<T> delayed(undelayed, kDelay);
  REQUIRE(delayed.queue_dim() == 3);
  REQUIRE(delayed.state_dim() == 5);
  const Tile<T> state(5, kLanes, 3);
  const Tile<T> action(3, kLanes, 4);
  Tile<T> next(5, kLanes);
  Workspace workspace;
  workspace.reserve(delayed.workspace_bytes(kLanes));
  delayed.step(state.view(), action.view(), Draw{}, workspace, next.block());

  Tile<T> acting(3, kLanes);
  Tile<T> expected(2, kLanes);
  for (Index k = 0; k < kLanes; ++k) {
    acting(0, k) = state(1, k);
    acting(1, k) = T(0.75) * action(1, k) + T(0.25) * state(2, k);
    acting(2, k) = action(2, k);
  }
  undelayed.step(state.view().rows(3, 2), acting.view(), Draw{}, workspace, expected.block());
  for (Index k = 0; k < kLanes; ++k) {
    CHECK(next(0, k) == action(0, k));
    CHECK(next(1, k) == state(0, k));
    CHECK(next(2, k) == action(1, k));
    for (Index d = 0; d < 2; ++d) CHECK(next(3 + d, k) == doctest::Approx(static_cast<double>(expected(d, k))));
  }
}

TEST_CASE("the derivatives of delayed dynamics are those of differences") {
  const LinearDynamics<double> undelayed = of_three_actions<double>(2);
  check_jacobians(DelayedDynamics<double>(undelayed, kDelay), 1e-8);
}

TEST_CASE("the terms of delayed linear dynamics make the same step") {
  const LinearDynamics<double> undelayed = of_three_actions<double>(1);
  const DelayedDynamics<double> delayed(undelayed, kDelay);
  const std::optional<LinearTerms> terms = delayed.linear_terms();
  REQUIRE(terms);
  const Tile<double> state(5, kLanes, 3);
  const Tile<double> action(3, kLanes, 4);
  Tile<double> next(5, kLanes);
  Workspace workspace;
  workspace.reserve(delayed.workspace_bytes(kLanes));
  delayed.step(state.view(), action.view(), Draw{}, workspace, next.block());
  for (Index k = 0; k < kLanes; ++k) {
    Eigen::VectorXd expected = terms->constant;
    for (Index i = 0; i < 5; ++i) expected += terms->state.col(i) * state(i, k);
    for (Index i = 0; i < 3; ++i) expected += terms->action.col(i) * action(i, k);
    for (Index d = 0; d < 5; ++d) CHECK(next(d, k) == doctest::Approx(expected(d)));
  }
  const LinearDynamics<double> curved = of_three_actions<double>(2);
  CHECK_FALSE(DelayedDynamics<double>(curved, kDelay).linear_terms());
}

TEST_CASE("delays that do not fit the model are refused") {
  const LinearDynamics<double> undelayed = of_three_actions<double>(1);
  const auto refuses = [&](const ActionDelay& delay) { CHECK_THROWS(DelayedDynamics<double>(undelayed, delay)); };
  refuses({{1, 1}, {0.0, 0.0}});
  refuses({{1, 1, -1}, {0.0, 0.0, 0.0}});
  refuses({{1, 1, 1}, {0.0, 0.0, 1.0}});
}

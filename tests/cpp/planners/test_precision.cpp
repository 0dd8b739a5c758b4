#include "dynaplan/planners/precision.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "dynaplan/models/linear.hpp"
#include "dynaplan/planners/cem.hpp"
#include "dynaplan/planners/jump_rounding.hpp"
#include "dynaplan/rewards/inside.hpp"
#include "dynaplan/rewards/quadratic.hpp"

using namespace dynaplan;

namespace {

// A double integrator about `origin`, to be brought from there to a place one away, in units of `unit`.
template <class T>
struct Cart {
  LinearDynamics<T> dynamics;
  QuadraticReward<T> reward;
  PlanProblemOf<T> problem;

  Cart(double origin, double unit)
      : dynamics(2, PolynomialFeatures(3, 1), (Eigen::MatrixXd(2, 3) << 1, 0.1, 0, 0, 1, 0.1 * unit).finished(),
                 Eigen::VectorXd::Zero(2), Eigen::MatrixXd::Zero(2, 2)),
        reward(Eigen::MatrixXd::Identity(2, 2) / (unit * unit), Eigen::Vector2d(origin + unit, 0.0), At::kNextState) {
    problem.rollout.dynamics = &dynamics;
    problem.rollout.reward = &reward;
  }
};

struct Carts {
  Eigen::Vector2d state;
  double low = -1.0;
  double high = 1.0;
  Cart<float> single;
  Cart<double> exact;
  SamplingMemory memory;

  Carts(double origin, double unit) : state(origin, 0.0), single(origin, unit), exact(origin, unit) {
    single.problem.state = state.data();
    single.problem.action_low = &low;
    single.problem.action_high = &high;
    plan_at_needed_precision(Cem(CemSettings()), single.problem, exact.problem, memory);
  }

  double value() const {
    return memory.visit([](const auto& result) { return result.value; });
  }
};

}  // namespace

TEST_CASE("float32 is enough where numbers are near those that they differ by, whatever their unit") {
  for (const double unit : {1.0, 1e-9, 1e9}) {
    CHECK_FALSE(Carts(0.0, unit).memory.is_exact);
    CHECK_FALSE(Carts(10.0 * unit, unit).memory.is_exact);
  }
}

TEST_CASE("plans far from the origin are made in float64, and are those at the origin") {
  const double expected = Carts(0.0, 1.0).value();
  for (const double origin : {1e4, -1e6, 1e9}) {
    const Carts carts(origin, 1.0);
    CHECK(carts.memory.is_exact);
    CHECK(carts.value() == doctest::Approx(expected).epsilon(1e-4));
  }
}

TEST_CASE("a memory serves plans in either type, one after the other") {
  Carts carts(1e6, 1.0);
  const double far = carts.value();
  Carts near(0.0, 1.0);
  near.single.problem.threads = 2;
  plan_at_needed_precision(Cem(CemSettings()), near.single.problem, near.exact.problem, carts.memory);
  CHECK_FALSE(carts.memory.is_exact);
  CHECK(carts.value() == near.value());
  plan_at_needed_precision(Cem(CemSettings()), carts.single.problem, carts.exact.problem, carts.memory);
  CHECK(carts.memory.is_exact);
  CHECK(carts.value() == far);
}

namespace {

// The same cart, which is paid where it is `width` or less from the place one away.
struct CartsToGoal {
  Carts carts;
  InsideReward<float> single;
  InsideReward<double> exact;

  CartsToGoal(double origin, double width)
      : carts(origin, 1.0),
        single(low(origin, width), high(origin, width), 1.0, At::kNextState),
        exact(low(origin, width), high(origin, width), 1.0, At::kNextState) {
    carts.single.problem.rollout.reward = &single;
    carts.exact.problem.rollout.reward = &exact;
  }

  static Eigen::Vector2d low(double origin, double width) { return {origin + 1.0 - width, -1e30}; }
  static Eigen::Vector2d high(double origin, double width) { return {origin + 1.0 + width, 1e30}; }

  bool plans_in_float64() {
    plan_at_needed_precision(Cem(CemSettings()), carts.single.problem, carts.exact.problem, carts.memory);
    return carts.memory.is_exact;
  }
};

}  // namespace

TEST_CASE("float64 also where float32 may step over a goal, whether or not it did") {
  for (const double width : {1e-3, 0.1, 0.5}) {
    CHECK_FALSE(CartsToGoal(0.0, width).plans_in_float64());
    CHECK(CartsToGoal(1e6, width).plans_in_float64());
    CHECK(CartsToGoal(-1e9, width).plans_in_float64());
  }
  // A plan that stays where it is, at rest in the middle of what it is paid for, has places far enough away.
  CHECK_FALSE(CartsToGoal(10.0, 100.0).plans_in_float64());
}

TEST_CASE("the error of rounding is a share of the range, of what is clear, or of a hundred widths") {
  const CartsToGoal goal(0.0, 0.5);
  const ExactPlanProblem& problem = goal.carts.exact.problem;
  ExactPlanProblem exact = problem;
  exact.state = goal.carts.state.data();
  exact.action_low = &goal.carts.low;
  exact.action_high = &goal.carts.high;
  const double error = std::ldexp(1.0, -24);
  const auto share = [&](const Jump& jump, float first, float last) {
    Jumps jumps;
    jumps.places.push_back(jump);
    return rounding_of_jumps(exact, jumps, {first, 0.0F, last, 0.0F}, 1);
  };
  const double none = std::numeric_limits<double>::infinity();
  CHECK(share({0, -1, -none, 7.0, false}, 1.0F, 2.0F) == doctest::Approx(2.0 * error / 5.0));
  CHECK(share({0, -1, -none, 3.0, false}, 1.0F, 4.0F) == doctest::Approx(4.0 * error / 3.0));
  CHECK(share({0, -1, -none, 7.0, true}, 1.0F, 2.0F) == doctest::Approx(2.0 * error / 1.0));
  CHECK(share({0, -1, 6.99, 7.0, false}, 1.0F, 2.0F) == doctest::Approx(2.0 * error / 1.0));
  CHECK(share({0, 1, -none, 7.0, false}, 1.0F, 2.0F) == doctest::Approx(2.0 * error / 5.0));
}

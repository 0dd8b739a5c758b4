#include "dynaplan/planners/precision.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/models/linear.hpp"
#include "dynaplan/planners/cem.hpp"
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

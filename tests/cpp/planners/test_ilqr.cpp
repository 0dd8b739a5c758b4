#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "allocations.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/models/linear.hpp"
#include "dynaplan/planners/lqr.hpp"
#include "dynaplan/rewards/action.hpp"
#include "dynaplan/rewards/angle.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/sum.hpp"
#include "opaque_reward.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::OpaqueReward;
using dynaplan_test::random_matrix;

namespace {

using Terms = std::vector<std::shared_ptr<const Reward<double>>>;

// A polynomial system of degree 2 under a reward with an angle in it and a price on changes.
struct Curved {
  Eigen::VectorXd state = Eigen::Vector3d(0.3, -0.5, 0.2);
  Eigen::VectorXd low = Eigen::Vector2d(-0.4, -2.0);
  Eigen::VectorXd high = Eigen::Vector2d(0.4, 1.0);
  LinearDynamics<double> dynamics;
  SumReward<double> reward;
  ExactPlanProblem problem;

  // Of degree 1 and with an angle that weighs 0, no cost bends downwards.
  explicit Curved(int degree = 2, double angle_weight = 0.5)
      : dynamics(3, PolynomialFeatures(5, degree), 0.2 * random_matrix(3, PolynomialFeatures(5, degree).count(), 1),
                 Eigen::VectorXd::Zero(3), Eigen::MatrixXd::Zero(3, 3)),
        reward(Terms{std::make_shared<QuadraticReward<double>>(Eigen::MatrixXd::Identity(3, 3),
                                                               Eigen::Vector3d(1, 0, 0), At::kNextState),
                     std::make_shared<AngleReward<double>>(AngleSource{0, 1}, angle_weight, 0.3, At::kState),
                     std::make_shared<ActionChangeCost<double>>(Eigen::MatrixXd::Identity(2, 2) * 0.1)}) {
    problem.rollout.dynamics = &dynamics;
    problem.rollout.reward = &reward;
    problem.state = state.data();
    problem.action_low = low.data();
    problem.action_high = high.data();
  }
};

}  // namespace

TEST_CASE("the smallest value of a quadratic in a box is where no free entry has a slope and no held one gains") {
  BoxQuadratic quadratic;
  for (const Index size : {1, 2, 3, 6}) {
    quadratic.prepare(size);
    for (unsigned seed = 0; seed < 200; ++seed) {
      const Eigen::MatrixXd root = random_matrix(size, size, seed);
      const Eigen::MatrixXd hessian = root * root.transpose() + 1e-3 * Eigen::MatrixXd::Identity(size, size);
      const Eigen::VectorXd gradient = 3.0 * random_matrix(size, 1, seed + 1000);
      const Eigen::VectorXd low = -random_matrix(size, 1, seed + 2000).cwiseAbs();
      const Eigen::VectorXd high = random_matrix(size, 1, seed + 3000).cwiseAbs();
      REQUIRE(quadratic.solve(hessian, gradient, low, high));
      const Eigen::VectorXd& x = quadratic.solution();
      const Eigen::VectorXd slope = gradient + hessian * x;
      for (Index i = 0; i < size; ++i) {
        REQUIRE(x(i) >= low(i));
        REQUIRE(x(i) <= high(i));
        if (x(i) > low(i)) REQUIRE(slope(i) < 1e-9);
        if (x(i) < high(i)) REQUIRE(slope(i) > -1e-9);
      }
      // The inverse is that of the free entries, and nothing on the others.
      Eigen::MatrixXd product = hessian;
      quadratic.apply_negative_inverse(product);
      for (Index i = 0; i < size; ++i) {
        const bool is_free = x(i) > low(i) && x(i) < high(i);
        if (is_free) REQUIRE(product(i, i) == doctest::Approx(-1.0).epsilon(1e-9));
        if (!is_free) REQUIRE(product.row(i).isZero());
      }
    }
  }
}

TEST_CASE("a quadratic that is unbounded in a free direction is not solved") {
  BoxQuadratic quadratic;
  quadratic.prepare(2);
  const Eigen::Vector2d low(-1, -1);
  const Eigen::Vector2d high(1, 1);
  Eigen::Matrix2d hessian;
  hessian << 1, 0, 0, -1;
  CHECK(!quadratic.solve(hessian, Eigen::Vector2d(1, 0), low, high));
  CHECK(!quadratic.solve(Eigen::Matrix2d::Zero(), Eigen::Vector2d(1, 0), low, high));
  hessian(0, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK(!quadratic.solve(hessian, Eigen::Vector2d(1, 0), low, high));
}

TEST_CASE("differences of the reward give the plan that its derivatives give") {
  Curved curved;
  const OpaqueReward opaque(curved.reward);
  IlqrSettings settings;
  settings.horizon = 9;
  settings.tolerance = 1e-13;
  TrajectoryMemory memory;
  TrajectoryPlan exact;
  TrajectoryPlan by_differences;
  Ilqr(settings).plan(curved.problem, memory, exact);
  curved.problem.rollout.reward = &opaque;
  Ilqr(settings).plan(curved.problem, memory, by_differences);
  CHECK(exact.status == PlanStatus::kConverged);
  CHECK(by_differences.value == doctest::Approx(exact.value).epsilon(1e-9));
  for (std::size_t i = 0; i < exact.actions.size(); ++i) {
    CHECK(std::abs(exact.actions[i] - by_differences.actions[i]) < 1e-4);
  }
}

// But for the workspace of Eigen's eigenvalue solver, where a cost bends downwards.
TEST_CASE("after the first call a plan allocates nothing, by derivatives and by differences") {
  Curved curved(1, 0.0);
  const OpaqueReward opaque(curved.reward);
  IlqrSettings settings;
  settings.horizon = 20;
  for (const Reward<double>* reward :
       {static_cast<const Reward<double>*>(&curved.reward), static_cast<const Reward<double>*>(&opaque)}) {
    curved.problem.rollout.reward = reward;
    TrajectoryMemory memory;
    TrajectoryPlan result;
    Ilqr(settings).plan(curved.problem, memory, result);
    Ilqr(settings).plan(curved.problem, memory, result);
    const long before = dynaplan_test::allocations();
    Ilqr(settings).plan(curved.problem, memory, result);
    CHECK(dynaplan_test::allocations() == before);
  }
}

TEST_CASE("planners by derivatives refuse what they cannot do") {
  Curved curved;
  TrajectoryMemory memory;
  TrajectoryPlan result;
  curved.problem.rollout.particles.propagation = Propagation::kSample;
  CHECK_THROWS_AS(Ilqr(IlqrSettings{}).plan(curved.problem, memory, result), ValueError);
  curved.problem.rollout.particles = {};
  curved.problem.rollout.disagreement_limit = DisagreementLimit{};
  CHECK_THROWS_AS(Ilqr(IlqrSettings{}).plan(curved.problem, memory, result), ValueError);
  curved.problem.rollout.disagreement_limit.reset();
  CHECK_THROWS_AS(Lqr(LqrSettings{}).plan(curved.problem, memory, result), ValueError);
  IlqrSettings settings;
  settings.step_sizes = 0;
  CHECK_THROWS_AS(Ilqr(settings).plan(curved.problem, memory, result), ValueError);
}

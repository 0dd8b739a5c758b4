#include "dynaplan/planners/gradient_ascent.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "allocations.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/models/linear.hpp"
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
constexpr Index kHorizon = 4;

class SquaredValue final : public TerminalValue<double> {
 public:
  void value(const double* states, Index count, double* values) const override {
    for (Index n = 0; n < count; ++n) values[n] = -2.0 * states[3 * n] * states[3 * n] + std::sin(states[3 * n + 1]);
  }
};

// A polynomial system of degree 2 under a discounted reward with an angle in it and a price on changes.
struct Curved {
  Eigen::VectorXd state = Eigen::Vector3d(0.3, -0.5, 0.2);
  Eigen::VectorXd low = Eigen::Vector2d(-0.4, -2.0);
  Eigen::VectorXd high = Eigen::Vector2d(0.4, 1.0);
  LinearDynamics<double> dynamics{3, PolynomialFeatures(5, 2),
                                  0.2 * random_matrix(3, PolynomialFeatures(5, 2).count(), 1), Eigen::VectorXd::Zero(3),
                                  Eigen::MatrixXd::Zero(3, 3)};
  SumReward<double> reward;
  SquaredValue value;
  ExactPlanProblem problem;

  explicit Curved(double angle_weight = 0.5)
      : reward(Terms{std::make_shared<QuadraticReward<double>>(Eigen::MatrixXd::Identity(3, 3),
                                                               Eigen::Vector3d(1, 0, 0), At::kNextState),
                     std::make_shared<AngleReward<double>>(AngleSource{0, 1}, angle_weight, 0.3, At::kState),
                     std::make_shared<ActionChangeCost<double>>(Eigen::MatrixXd::Identity(2, 2) * 0.1)}) {
    problem.rollout.dynamics = &dynamics;
    problem.rollout.reward = &reward;
    problem.rollout.discount = 0.9;
    problem.state = state.data();
    problem.action_low = low.data();
    problem.action_high = high.data();
  }
};

void write_actions(ForwardPass& forward) {
  for (Index row = 0; row < forward.actions().dim; ++row) {
    for (Index k = 0; k < ForwardPass::kAtOnce; ++k) {
      forward.actions().row(row)[k] = 0.3 * std::sin(1.0 + static_cast<double>(3 * row + 7 * k));
    }
  }
}

// Largest error of the gradients of all lanes against central differences of the returns.
double largest_error(const ExactPlanProblem& problem) {
  ForwardPass forward;
  GradientSweep sweep;
  forward.prepare(problem, kHorizon);
  sweep.prepare(problem, kHorizon);
  write_actions(forward);
  forward.roll_out(problem, ForwardPass::kAtOnce);
  NominalTrajectory trajectory;
  trajectory.actions.resize(static_cast<std::size_t>(kHorizon * 2));
  trajectory.states.resize(static_cast<std::size_t>((kHorizon + 1) * 3));
  for (Index k = 0; k < ForwardPass::kAtOnce; ++k) {
    forward.take(problem, k, trajectory);
    sweep.take(problem, trajectory, {}, k);
  }
  std::vector<double, Eigen::aligned_allocator<double>> entries(
      static_cast<std::size_t>(kHorizon * 2 * ForwardPass::kAtOnce));
  const Block<double> gradient{entries.data(), kHorizon * 2, ForwardPass::kAtOnce, ForwardPass::kAtOnce};
  sweep.run(problem, gradient);
  constexpr double kReach = 1e-6;
  double largest = 0.0;
  for (Index row = 0; row < gradient.dim; ++row) {
    double returns[2][ForwardPass::kAtOnce];
    for (const int side : {0, 1}) {
      write_actions(forward);
      for (Index k = 0; k < ForwardPass::kAtOnce; ++k) forward.actions().row(row)[k] += side == 0 ? -kReach : kReach;
      forward.roll_out(problem, ForwardPass::kAtOnce);
      for (Index k = 0; k < ForwardPass::kAtOnce; ++k) returns[side][k] = forward.total(k);
    }
    for (Index k = 0; k < ForwardPass::kAtOnce; ++k) {
      const double slope = (returns[1][k] - returns[0][k]) / (2.0 * kReach);
      largest = std::max(largest, std::abs(slope - gradient.row(row)[k]));
    }
  }
  return largest;
}

}  // namespace

TEST_CASE("the gradient of a return is that of differences of returns") {
  Curved curved;
  CHECK(largest_error(curved.problem) < 1e-8);
  const Eigen::VectorXd last = Eigen::Vector2d(0.1, -0.2);
  curved.problem.last_action = last.data();
  CHECK(largest_error(curved.problem) < 1e-8);
  curved.problem.terminal_value = &curved.value;
  CHECK(largest_error(curved.problem) < 1e-7);
}

TEST_CASE("so it is where the reward keeps its derivatives to itself") {
  Curved curved(0.0);
  const Eigen::VectorXd last = Eigen::Vector2d(0.1, -0.2);
  curved.problem.last_action = last.data();
  curved.problem.terminal_value = &curved.value;
  const OpaqueReward opaque(curved.reward);
  curved.problem.rollout.reward = &opaque;
  CHECK(largest_error(curved.problem) < 1e-7);
}

TEST_CASE("a state that is clipped has no gradient") {
  Curved curved;
  const StateLimits<double> limits{{-0.05, -9.0, -9.0}, {0.05, 9.0, 9.0}};
  curved.problem.rollout.limits = &limits;
  CHECK(largest_error(curved.problem) < 1e-8);
}

TEST_CASE("plans are the same for any number of threads, and a second one allocates nothing") {
  Curved curved;
  const GradientAscent planner({kHorizon, 20, 30, 0.1, 0.5, 1e-3});
  TrajectoryMemory memory;
  TrajectoryPlan first;
  TrajectoryPlan second;
  planner.plan(curved.problem, memory, first);
  planner.plan(curved.problem, memory, second);
  const long before = dynaplan_test::allocations();
  planner.plan(curved.problem, memory, second);
  CHECK(dynaplan_test::allocations() == before);
  CHECK(second.actions == first.actions);
  CHECK(first.value > -4.0);
  for (const int threads : {2, 3}) {
    curved.problem.threads = threads;
    planner.plan(curved.problem, memory, second);
    CHECK(second.actions == first.actions);
  }
}

TEST_CASE("settings out of range are refused by name") {
  GradientAscentSettings settings;
  settings.learning_rate = 0.0;
  CHECK_THROWS_AS(GradientAscent{settings}, ValueError);
  settings = {};
  settings.candidates = 0;
  CHECK_THROWS_AS(GradientAscent{settings}, ValueError);
}

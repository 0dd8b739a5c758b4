#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "allocations.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/models/linear.hpp"
#include "dynaplan/planners/categorical_cem.hpp"
#include "dynaplan/planners/cem.hpp"
#include "dynaplan/planners/icem.hpp"
#include "dynaplan/planners/mppi.hpp"
#include "dynaplan/planners/random_shooting.hpp"
#include "dynaplan/rewards/action.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/sum.hpp"

using namespace dynaplan;

namespace {

// The double integrator of dt = 1 with cost s's + a^2 on the state before each step.
struct DoubleIntegrator {
  Eigen::VectorXd state = Eigen::Vector2d(1.0, -0.5);
  Eigen::VectorXd low = Eigen::VectorXd::Constant(1, -2.0);
  Eigen::VectorXd high = Eigen::VectorXd::Constant(1, 2.0);
  LinearDynamics<float> dynamics;
  SumReward<float> reward;
  PlanProblem problem;

  DoubleIntegrator()
      : dynamics(2, PolynomialFeatures(3, 1), (Eigen::MatrixXd(2, 3) << 1, 1, 0, 0, 1, 1).finished(),
                 Eigen::VectorXd::Zero(2), Eigen::MatrixXd::Zero(2, 2)),
        reward({std::make_shared<QuadraticReward<float>>(Eigen::MatrixXd::Identity(2, 2), Eigen::VectorXd::Zero(2),
                                                         At::kNextState),
                std::make_shared<ActionCost<float>>(Eigen::MatrixXd::Ones(1, 1), low, high)}) {
    problem.rollout.dynamics = &dynamics;
    problem.rollout.reward = &reward;
    problem.state = state.data();
    problem.action_low = low.data();
    problem.action_high = high.data();
    problem.stream.seed = 3;
  }
};

class DistanceToOrigin final : public TerminalValue<float> {
 public:
  void value(const float* states, Index count, float* values) const override {
    for (Index n = 0; n < count; ++n) values[n] = -std::abs(states[2 * n]);
  }
};

// Best return over `horizon` steps by the Riccati recursion, with the stage cost of the state after the step.
double optimal_return(const Eigen::Vector2d& state, Index horizon) {
  Eigen::Matrix2d a;
  a << 1, 1, 0, 1;
  const Eigen::Vector2d b(0, 1);
  Eigen::Matrix2d value = Eigen::Matrix2d::Zero();
  for (Index t = 0; t < horizon; ++t) {
    const Eigen::Matrix2d after = value + Eigen::Matrix2d::Identity();
    const Eigen::RowVector2d gain = (b.transpose() * after * a) / (1.0 + b.dot(after * b));
    value = a.transpose() * after * (a - b * gain);
  }
  return -state.dot(value * state);
}

}  // namespace

TEST_CASE("CEM comes within 1 % of the Riccati optimum, from below") {
  DoubleIntegrator integrator;
  CemSettings settings;
  settings.horizon = 10;
  settings.iterations = 60;
  settings.smoothing = 0.5;  // the sensitivities of early and late actions differ a thousandfold
  settings.min_std = 0.001;
  SearchMemory<float> workspace;
  PlanResult<float> result;
  Cem(settings).plan(integrator.problem, workspace, result);
  const double optimum = optimal_return(Eigen::Vector2d(1.0, -0.5), 10);
  CHECK(result.value <= optimum * (1.0 - 1e-5));
  CHECK(result.value >= optimum * 1.01);
  CHECK(result.candidates == 30000);
  CHECK(result.non_finite == 0);
  CHECK(result.status == PlanStatus::kIterations);
}

TEST_CASE("the same seed gives the same bits with 1, 2 and 4 threads, another seed does not") {
  DoubleIntegrator integrator;
  const CemSettings settings;
  std::vector<std::vector<float>> plans;
  for (const int threads : {1, 2, 4}) {
    integrator.problem.threads = threads;
    SearchMemory<float> workspace;
    PlanResult<float> result;
    Cem(settings).plan(integrator.problem, workspace, result);
    plans.push_back(result.actions);
  }
  CHECK(plans[0] == plans[1]);
  CHECK(plans[0] == plans[2]);
  integrator.problem.stream.seed = 4;
  SearchMemory<float> workspace;
  PlanResult<float> result;
  Cem(settings).plan(integrator.problem, workspace, result);
  CHECK(plans[0] != result.actions);
}

TEST_CASE("after the first call a plan allocates nothing, with one thread and with two") {
  for (const int threads : {1, 2}) {
    DoubleIntegrator integrator;
    integrator.problem.threads = threads;
    SearchMemory<float> workspace;
    PlanResult<float> result;
    const Cem cem(CemSettings{});
    cem.plan(integrator.problem, workspace, result);
    const Icem icem(IcemSettings{});
    MppiSettings smooth;
    smooth.noise = {{2.0}, 5, 5};
    smooth.temperature = 1.0;
    smooth.control_cost = 1.0;
    const Mppi mppi(smooth);
    RandomShootingSettings lasting;
    lasting.noise = {{2.0}, 0, 1};
    const RandomShooting shooting{RandomShootingSettings{}};
    const RandomShooting lasting_shooting(lasting);
    const CategoricalCem categorical(CategoricalCemSettings{}, Eigen::VectorXd::LinSpaced(5, -2.0, 2.0));
    const DistanceToOrigin value;
    PlanProblem bounded = integrator.problem;
    const StateLimits<float> allowed{{-9.0F, -9.0F}, {9.0F, 9.0F}};
    const std::vector<double> rate{0.5};
    bounded.rollout.allowed = &allowed;
    bounded.action_rate = rate.data();
    bounded.terminal_value = &value;
    const auto plan_all = [&] {
      cem.plan(integrator.problem, workspace, result);
      shooting.plan(integrator.problem, workspace, result);
      lasting_shooting.plan(integrator.problem, workspace, result);
      icem.plan(integrator.problem, workspace, result);
      mppi.plan(integrator.problem, workspace, result);
      categorical.plan(integrator.problem, workspace, result);
      icem.plan(bounded, workspace, result);
    };
    plan_all();
    plan_all();
    const long before = dynaplan_test::allocations();
    plan_all();
    CHECK(dynaplan_test::allocations() == before);
  }
}

namespace {

// Half of the candidates have a return that is nan, the other half less the larger their first action.
class HalfNan final : public TrajectoryScore<float> {
 public:
  void score(const float*, const float* actions, const float*, Index count, Index horizon, float* totals,
             float*) const override {
    for (Index n = 0; n < count; ++n) {
      const float first = actions[n * horizon];
      totals[n] = first > 0.0F ? std::numeric_limits<float>::quiet_NaN() : -std::abs(first + 1.0F);
    }
  }
  void reward(const float*, const float*, Index, float*) const override {}
};

class AllInfinite final : public TrajectoryScore<float> {
 public:
  void score(const float*, const float*, const float*, Index count, Index, float* totals, float*) const override {
    std::fill_n(totals, count, std::numeric_limits<float>::infinity());
  }
  void reward(const float*, const float*, Index, float*) const override {}
};

}  // namespace

TEST_CASE("a candidate whose return is nan is never elite and never the plan") {
  DoubleIntegrator integrator;
  const HalfNan score;
  integrator.problem.score = &score;
  SearchMemory<float> workspace;
  PlanResult<float> result;
  Cem(CemSettings{}).plan(integrator.problem, workspace, result);
  CHECK(result.non_finite > 0);
  CHECK(result.actions[0] == doctest::Approx(-1.0).epsilon(0.02));
  CHECK(result.value == doctest::Approx(0.0).epsilon(0.02));
}

TEST_CASE("where no candidate is finite the plan is the start of the search, and says so") {
  DoubleIntegrator integrator;
  const AllInfinite score;
  integrator.problem.score = &score;
  const std::vector<double> warm_start(22, 5.0);  // outside the bounds of 2
  integrator.problem.warm_start = {warm_start.data(), 1, 22};
  SearchMemory<float> workspace;
  PlanResult<float> result;
  Cem(CemSettings{}).plan(integrator.problem, workspace, result);
  CHECK(result.status == PlanStatus::kNoFiniteCandidate);
  CHECK(result.actions == std::vector<float>(22, 2.0F));
}

TEST_CASE("settings and problems out of range are refused by name") {
  DoubleIntegrator integrator;
  SearchMemory<float> workspace;
  PlanResult<float> result;
  CemSettings settings;
  settings.elites = 501;
  CHECK_THROWS_WITH_AS(Cem(settings).plan(integrator.problem, workspace, result),
                       "elites: got 501, must be from 1 to candidates = 500", ValueError);
  integrator.state(1) = std::nan("");
  CHECK_THROWS_WITH_AS(Cem(CemSettings{}).plan(integrator.problem, workspace, result),
                       "state: entry 1 is nan, must be finite", ValueError);
  integrator.state(1) = 0.0;
  integrator.low(0) = 3.0;
  CHECK_THROWS_AS(Cem(CemSettings{}).plan(integrator.problem, workspace, result), ValueError);
}

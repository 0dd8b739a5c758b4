#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/core/error.hpp"
#include "dynaplan/models/linear.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rollout/rollout.hpp"
#include "dynaplan/terminations/box.hpp"
#include "tiles.hpp"

using namespace dynaplan;

namespace {

// s' = gain * s + a, reward -s'^2.
template <class T>
struct Scalar {
  LinearDynamics<T> dynamics;
  QuadraticReward<T> reward{Eigen::MatrixXd::Ones(1, 1), Eigen::VectorXd::Zero(1), At::kNextState};
  RolloutProblem<T> problem;

  explicit Scalar(double gain)
      : dynamics(1, PolynomialFeatures(2, 1), (Eigen::MatrixXd(1, 2) << gain, 1.0).finished(), Eigen::VectorXd::Zero(1),
                 Eigen::MatrixXd::Zero(1, 1)) {
    problem.dynamics = &dynamics;
    problem.reward = &reward;
  }
};

template <class T>
struct Results {
  std::vector<T> totals;
  std::vector<T> trajectories;

  Results(const RolloutProblem<T>& problem, const std::vector<T>& states, const std::vector<T>& actions, Index count,
          Index horizon)
      : totals(static_cast<std::size_t>(count)), trajectories(static_cast<std::size_t>(count * (horizon + 1))) {
    RolloutBatch<T> batch;
    batch.count = count;
    batch.horizon = horizon;
    batch.states = states.data();
    batch.actions = actions.data();
    batch.totals = totals.data();
    batch.trajectories = trajectories.data();
    rollout(problem, batch);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("any number of rollouts of any length follow the recursion", T, float, double) {
  const Scalar<T> scalar(0.5);
  for (const Index count : {1, 2, 15, 16, 17, 63, 64, 65, 200, 257}) {
    for (const Index horizon : {1, 2, 7}) {
      std::vector<T> states(static_cast<std::size_t>(count));
      std::vector<T> actions(static_cast<std::size_t>(count * horizon));
      for (std::size_t i = 0; i < states.size(); ++i) states[i] = static_cast<T>(i % 5);
      for (std::size_t i = 0; i < actions.size(); ++i) actions[i] = static_cast<T>(i % 7) - T(3);
      const Results<T> results(scalar.problem, states, actions, count, horizon);
      for (Index n = 0; n < count; ++n) {
        T state = states[static_cast<std::size_t>(n)];
        T total = 0;
        for (Index t = 0; t < horizon; ++t) {
          state = T(0.5) * state + actions[static_cast<std::size_t>(n * horizon + t)];
          total -= state * state;
          REQUIRE(results.trajectories[static_cast<std::size_t>(n * (horizon + 1) + t + 1)] == state);
        }
        REQUIRE(results.totals[static_cast<std::size_t>(n)] == doctest::Approx(total));
      }
    }
  }
}

TEST_CASE("an ended trajectory stays where it ended and gets no more reward, also after overflow") {
  Scalar<double> scalar(2.0);
  const Outside<double> outside(Eigen::VectorXd::Constant(1, -5.0), Eigen::VectorXd::Constant(1, 5.0));
  scalar.problem.termination = &outside;
  // 1, 2, 4, 8 (outside: this step still counts), then nothing.
  const Results<double> results(scalar.problem, {1.0}, std::vector<double>(6, 0.0), 1, 6);
  CHECK(results.totals[0] == -(4.0 + 16.0 + 64.0));
  CHECK(results.trajectories == std::vector<double>{1, 2, 4, 8, 8, 8, 8});
  scalar.problem.discount = 0.5;
  const Results<double> discounted(scalar.problem, {1.0}, std::vector<double>(6, 0.0), 1, 6);
  CHECK(discounted.totals[0] == -(4.0 + 0.5 * 16.0 + 0.25 * 64.0));
}

TEST_CASE("clipping holds states within their limits, but does not hide a nan") {
  Scalar<double> scalar(2.0);
  const StateLimits<double> limits{{-3.0}, {3.0}};
  scalar.problem.limits = &limits;
  const Results<double> results(scalar.problem, {1.0}, std::vector<double>(3, 0.0), 1, 3);
  CHECK(results.trajectories == std::vector<double>{1, 2, 3, 3});
  const Scalar<double> diverging(std::nan(""));
  RolloutProblem<double> problem = diverging.problem;
  problem.limits = &limits;
  CHECK(std::isnan(Results<double>(problem, {1.0}, {0.0}, 1, 1).totals[0]));
}

TEST_CASE("inputs that are not finite, and parts that do not fit, are refused by name") {
  const Scalar<double> scalar(0.5);
  CHECK_THROWS_WITH_AS(Results<double>(scalar.problem, {1.0, 1.0}, {0.0, 0.0, 0.0, INFINITY}, 2, 2),
                       "actions: candidate 1, entry 1 is inf, must be finite", ValueError);
  CHECK_THROWS_AS(Results<double>(scalar.problem, {NAN}, {0.0}, 1, 1), ValueError);
  RolloutProblem<double> wrong = scalar.problem;
  wrong.discount = 0.0;
  CHECK_THROWS_AS(Results<double>(wrong, {1.0}, {0.0}, 1, 1), ValueError);
  const QuadraticReward<double> plane(Eigen::MatrixXd::Identity(2, 2), Eigen::VectorXd::Zero(2), At::kState);
  wrong = scalar.problem;
  wrong.reward = &plane;
  CHECK_THROWS_AS(Results<double>(wrong, {1.0}, {0.0}, 1, 1), ShapeError);
}

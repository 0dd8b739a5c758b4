#include <doctest/doctest.h>

#include "dynaplan/models/linear.hpp"
#include "dynaplan/rewards/action.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/sum.hpp"
#include "dynaplan/rollout/linear_quadratic.hpp"
#include "dynaplan/terminations/box.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

Eigen::MatrixXd positive(Index dim, unsigned seed) {
  const Eigen::MatrixXd root = random_matrix(dim, dim, seed);
  return root * root.transpose() + 0.1 * Eigen::MatrixXd::Identity(dim, dim);
}

template <class T>
struct Problem {
  static constexpr Index kActions = 3;
  LinearDynamics<T> dynamics;
  SumReward<T> reward;
  RolloutProblem<T> problem;

  Problem(Index states, At at, const Eigen::MatrixXd& weights)
      : dynamics(states, PolynomialFeatures(states + kActions, 1), coefficients(states),
                 random_matrix(states, 1, 3).col(0), Eigen::MatrixXd::Zero(states, states)),
        reward({std::make_shared<QuadraticReward<T>>(weights, random_matrix(states, 1, 4).col(0), at),
                std::make_shared<QuadraticReward<T>>(Eigen::MatrixXd::Identity(states, states),
                                                     random_matrix(states, 1, 5).col(0), at),
                std::make_shared<ActionChangeCost<T>>(positive(kActions, 6))}) {
    problem.dynamics = &dynamics;
    problem.reward = &reward;
    problem.discount = T(0.97);
  }

  static Eigen::MatrixXd coefficients(Index states) {
    Eigen::MatrixXd both = random_matrix(states, states + kActions, 2);
    both.leftCols(states) /= std::sqrt(static_cast<double>(states));
    return both;
  }
};

template <class T>
Tile<T> totals_of(const RolloutProblem<T>& problem, Index horizon) {
  const Index lanes = kMaxLanes;
  const Tile<T> state(problem.dynamics->state_dim(), lanes, 7);
  const Tile<T> actions(horizon * problem.dynamics->action_dim(), lanes, 8);
  Tile<T> total(1, lanes);
  Workspace workspace;
  workspace.reserve(problem.workspace_bytes(lanes, false));
  BlockRollout<T> block;
  block.initial_state = state.view();
  block.actions = actions.view();
  block.total = total.block().data;
  rollout_block(problem, block, workspace);
  return total;
}

}  // namespace

TEST_CASE_TEMPLATE("the coordinates change no return, whatever the sizes", T, float, double) {
  for (const Index states : {7, 8, 12, 13, 17, 18, 19, 31}) {
    for (const At at : {At::kState, At::kNextState}) {
      const Problem<T> given(states, at, positive(states, 1));
      const auto transformed = LinearQuadraticProblem<T>::of(given.problem);
      REQUIRE(transformed != nullptr);
      RolloutProblem<T> both = given.problem;
      both.cheaper = &transformed->problem();
      const Tile<T> plain = totals_of(given.problem, 9);
      const Tile<T> cheap = totals_of(both, 9);
      const double tolerance = std::is_same_v<T, float> ? 2e-4 : 1e-11;
      for (Index k = 0; k < kMaxLanes; ++k) {
        REQUIRE(static_cast<double>(cheap(0, k)) ==
                doctest::Approx(static_cast<double>(plain(0, k))).epsilon(tolerance));
      }
    }
  }
}

TEST_CASE("problems of another kind keep their own coordinates") {
  const auto is_transformed = [](const RolloutProblem<double>& problem) {
    return LinearQuadraticProblem<double>::of(problem) != nullptr;
  };
  const Problem<double> good(8, At::kState, positive(8, 1));
  CHECK(is_transformed(good.problem));
  CHECK_FALSE(is_transformed(Problem<double>(6, At::kState, positive(6, 1)).problem));

  Eigen::MatrixXd steep = Eigen::MatrixXd::Identity(8, 8);
  steep(3, 3) = 1e10;
  CHECK_FALSE(is_transformed(Problem<double>(8, At::kState, steep).problem));

  RolloutProblem<double> ending = good.problem;
  const Outside<double> outside(Eigen::VectorXd::Constant(8, -5.0), Eigen::VectorXd::Constant(8, 5.0));
  ending.termination = &outside;
  CHECK_FALSE(is_transformed(ending));

  RolloutProblem<double> clipped = good.problem;
  const StateLimits<double> limits{std::vector<double>(8, -1.0), std::vector<double>(8, 1.0)};
  clipped.limits = &limits;
  CHECK_FALSE(is_transformed(clipped));

  RolloutProblem<double> semidefinite = good.problem;
  const QuadraticReward<double> of_one(Eigen::VectorXd::Unit(8, 0).asDiagonal(), Eigen::VectorXd::Zero(8), At::kState);
  semidefinite.reward = &of_one;
  CHECK_FALSE(is_transformed(semidefinite));
}

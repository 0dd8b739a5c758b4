#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "dynaplan/core/error.hpp"
#include "dynaplan/rewards/action.hpp"
#include "dynaplan/rewards/angle.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/sum.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

template <class T>
std::vector<T> evaluate(const Reward<T>& reward, const StepView<T>& view) {
  std::vector<T> total(static_cast<std::size_t>(view.next.lanes), T(0));
  Workspace workspace;
  workspace.reserve(reward.workspace_bytes(view.next.lanes));
  reward.add(view, workspace, total.data());
  return total;
}

}  // namespace

TEST_CASE_TEMPLATE("a quadratic reward equals the form written out, dense and diagonal", T, float, double) {
  for (const Index dim : {1, 3, 6, 7, 17}) {
    const Eigen::MatrixXd root = random_matrix(dim, dim, 1);
    const Eigen::MatrixXd dense = root * root.transpose();
    const Eigen::MatrixXd diagonal = dense.diagonal().asDiagonal();
    const Eigen::VectorXd target = random_matrix(dim, 1, 2);
    Tile<T> next(dim, 16, 3);
    for (const Eigen::MatrixXd& weights : {dense, diagonal}) {
      const QuadraticReward<T> reward(weights, target, At::kNextState);
      const std::vector<T> total = evaluate<T>(reward, {{}, {}, {}, next.view(), 0});
      for (Index k = 0; k < 16; ++k) {
        Eigen::VectorXd x(dim);
        for (Index i = 0; i < dim; ++i) x(i) = next(i, k) - target(i);
        const double expected = -x.dot(weights * x);
        CHECK(total[static_cast<std::size_t>(k)] == doctest::Approx(expected).epsilon(sizeof(T) == 4 ? 1e-5 : 1e-12));
      }
    }
  }
}

TEST_CASE("a semi-definite matrix of weights is accepted, an indefinite or crooked one refused") {
  Eigen::Matrix2d weights;
  weights << 1.0, 1.0, 1.0, 1.0;
  Tile<double> next(2, 8);
  for (Index k = 0; k < 8; ++k) next(0, k) = 1.0;
  const QuadraticReward<double> reward(weights, Eigen::Vector2d::Zero(), At::kNextState);
  CHECK(evaluate<double>(reward, {{}, {}, {}, next.view(), 0})[0] == doctest::Approx(-1.0));
  weights << 1.0, 2.0, 2.0, 1.0;
  CHECK_THROWS_AS(QuadraticForm<double>(weights, Eigen::Vector2d::Zero()), ValueError);
  weights << 1.0, 2.0, 0.0, 1.0;
  CHECK_THROWS_AS(QuadraticForm<double>(weights, Eigen::Vector2d::Zero()), ValueError);
  CHECK_THROWS_AS(QuadraticForm<double>(weights, Eigen::Vector3d::Zero()), ShapeError);
}

TEST_CASE_TEMPLATE("angles are wrapped, from the angle or from cosine and sine", T, float, double) {
  constexpr double kPi = 3.14159265358979323846;
  const AngleReward<T> by_index({0, -1}, 2.0, 0.5, At::kState);
  const AngleReward<T> by_direction({1, 2}, 2.0, 0.5, At::kState);
  for (double angle = -9.0; angle < 9.0; angle += 0.37) {
    Tile<T> state(3, 16);
    for (Index k = 0; k < 16; ++k) {
      state(0, k) = static_cast<T>(angle);
      state(1, k) = static_cast<T>(1.7 * std::cos(angle));
      state(2, k) = static_cast<T>(1.7 * std::sin(angle));
    }
    const double difference = std::remainder(angle - 0.5, 2.0 * kPi);
    const double expected = -2.0 * difference * difference;
    const StepView<T> view{state.view(), {}, {}, state.view(), 0};
    const double tolerance = sizeof(T) == 4 ? 3e-5 : 1e-12;
    CHECK(std::abs(evaluate<T>(by_index, view)[3] - expected) < tolerance);
    CHECK(std::abs(evaluate<T>(by_direction, view)[3] - expected) < tolerance);
  }
}

TEST_CASE("a direction that is nan gives a reward that is nan") {
  Tile<float> state(2, 16);
  state(0, 3) = std::numeric_limits<float>::quiet_NaN();
  const AngleReward<float> reward({0, 1}, 1.0, 0.0, At::kState);
  const std::vector<float> total = evaluate<float>(reward, {state.view(), {}, {}, state.view(), 0});
  CHECK(std::isnan(total[3]));
  CHECK(!std::isnan(total[2]));
}

TEST_CASE("action costs clip where asked, change costs look one action back, sums add up") {
  Tile<double> action(2, 8);
  Tile<double> previous(2, 8);
  for (Index k = 0; k < 8; ++k) {
    action(0, k) = 3.0;
    action(1, k) = -1.0;
    previous(0, k) = 1.0;
  }
  const double infinite = std::numeric_limits<double>::infinity();
  const Eigen::Matrix2d weights = Eigen::Vector2d(1.0, 10.0).asDiagonal();
  const StepView<double> view{{}, action.view(), previous.view(), action.view(), 0};
  using Cost = ActionCost<double>;
  CHECK(evaluate<double>(Cost(weights, Eigen::Vector2d(-2, -2), Eigen::Vector2d(2, 2)), view)[0] == -14.0);  // 2^2 + 10
  const auto free =
      std::make_shared<const Cost>(weights, Eigen::Vector2d(-infinite, -infinite), Eigen::Vector2d(infinite, infinite));
  const auto change = std::make_shared<const ActionChangeCost<double>>(weights);
  CHECK(evaluate<double>(*free, view)[0] == -19.0);    // 3^2 + 10
  CHECK(evaluate<double>(*change, view)[0] == -14.0);  // 2^2 + 10
  CHECK(evaluate<double>(SumReward<double>({free, change}), view)[0] == -33.0);
  CHECK_THROWS_AS(free->require_dims(1, 3), ShapeError);
}

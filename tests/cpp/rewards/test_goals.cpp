#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "dynaplan/core/error.hpp"
#include "dynaplan/rewards/acrobot.hpp"
#include "dynaplan/rewards/distance.hpp"
#include "dynaplan/rewards/double_pendulum.hpp"
#include "dynaplan/rewards/inside.hpp"
#include "dynaplan/rewards/linear.hpp"
#include "dynaplan/rewards/product.hpp"
#include "dynaplan/rewards/tolerance.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// The reward of lane 0 from its state, action and next state.
template <class T>
double pay(const Reward<T>& reward, std::initializer_list<double> state, std::initializer_list<double> action,
           std::initializer_list<double> next) {
  const auto tile = [](std::initializer_list<double> values) {
    Tile<T> filled(static_cast<Index>(values.size()), 16);
    Index row = 0;
    for (const double value : values) filled(row++, 0) = static_cast<T>(value);
    return filled;
  };
  const Tile<T> before = tile(state);
  const Tile<T> applied = tile(action);
  const Tile<T> after = tile(next);
  std::vector<T, Eigen::aligned_allocator<T>> total(16, T(100));
  Workspace workspace;
  workspace.reserve(reward.workspace_bytes(16));
  reward.add({before.view(), applied.view(), applied.view(), after.view(), 0}, workspace, total.data());
  return static_cast<double>(total[0]) - 100.0;  // it adds to what is there
}

}  // namespace

TEST_CASE_TEMPLATE("linear and change terms look at the states they name", T, float, double) {
  const Eigen::Vector2d weights(2.0, -1.0);
  CHECK(pay<T>(LinearReward<T>(weights, 0.5, At::kNextState), {9, 9}, {0}, {3, 1}) == 5.5);  // 0.5 + 6 - 1
  CHECK(pay<T>(LinearReward<T>(weights, 0.5, At::kState), {1, 0}, {0}, {9, 9}) == 2.5);
  CHECK(pay<T>(ChangeReward<T>(1, 4.0), {9, 1}, {0}, {9, 1.5}) == 2.0);
  CHECK_THROWS_AS(LinearReward<T>(weights, kInfinite, At::kState), ValueError);
  CHECK_THROWS_AS(LinearReward<T>(weights, 0.0, At::kState).require_dims(3, 1), ShapeError);
  CHECK_THROWS_AS(ChangeReward<T>(2, 1.0).require_dims(2, 1), ShapeError);
}

TEST_CASE("in float32 a small change of a large position keeps its digits") {
  // Both positions are float32 numbers and so is their difference; their products with 125 are rounded to 0.008.
  const ChangeReward<float> speed(0, 125.0);
  CHECK(pay<float>(speed, {1000.0}, {0}, {1000.0009765625}) == doctest::Approx(125.0 / 1024.0).epsilon(1e-4));
}

TEST_CASE_TEMPLATE("distances to a point and between entries: 3-4-5", T, float, double) {
  const DistanceEntries to_point{{0, 2}, {}, Eigen::Vector2d(1.0, 1.0)};
  const DistanceEntries between{{0, 1}, {2, 3}, Eigen::Vector2d::Zero()};
  CHECK(pay<T>(DistanceReward<T>(to_point, 2.0, At::kNextState), {}, {0}, {4, 9, 5}) == -10.0);
  CHECK(pay<T>(DistanceReward<T>(between, 1.0, At::kState), {1, 1, 4, 5}, {0}, {0, 0, 0, 0}) == -5.0);
  CHECK(pay<T>(WithinReward<T>(between, 5.0, 7.0, At::kState), {1, 1, 4, 5}, {0}, {0, 0, 0, 0}) == 7.0);
  CHECK(pay<T>(WithinReward<T>(between, 4.9, 7.0, At::kState), {1, 1, 4, 5}, {0}, {0, 0, 0, 0}) == 0.0);
  CHECK_THROWS_AS(DistanceReward<T>(between, 1.0, At::kState).require_dims(3, 1), ShapeError);
  CHECK_THROWS_AS(EntryDistance<T>({{}, {}, Eigen::VectorXd()}), ShapeError);
  CHECK_THROWS_AS(EntryDistance<T>({{0}, {1, 2}, Eigen::VectorXd::Zero(1)}), ShapeError);
  CHECK_THROWS_AS(EntryDistance<T>({{0}, {}, Eigen::VectorXd::Zero(2)}), ShapeError);
  CHECK_THROWS_AS(WithinReward<T>(to_point, -1.0, 1.0, At::kState), ValueError);
}

TEST_CASE_TEMPLATE("a bonus inside a box, faces included, nothing where a state is nan", T, float, double) {
  const InsideReward<T> reward(Eigen::Vector2d(-1.0, -kInfinite), Eigen::Vector2d(1.0, 0.0), 3.0, At::kNextState);
  CHECK(pay<T>(reward, {9, 9}, {0}, {1.0, 0.0}) == 3.0);
  CHECK(pay<T>(reward, {0, 0}, {0}, {1.1, 0.0}) == 0.0);
  CHECK(pay<T>(reward, {0, 0}, {0}, {0.0, std::nan("")}) == 0.0);
  CHECK_THROWS_AS(reward.require_dims(3, 1), ShapeError);
}

TEST_CASE_TEMPLATE("a tolerance is 1 inside and has its value a margin away", T, float, double) {
  const ToleranceSettings gaussian{-1.0, 1.0, 2.0, 0.1, Falloff::kGaussian};
  const ToleranceSettings quadratic{0.0, 0.0, 2.0, 0.5, Falloff::kQuadratic};
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
  const ToleranceReward<T> smooth(1, From::kNextState, gaussian);
  CHECK(pay<T>(smooth, {0, 9}, {0}, {9, -1.0}) == 1.0);
  CHECK(std::abs(pay<T>(smooth, {0, 9}, {0}, {9, 3.0}) - 0.1) < tolerance);
  CHECK(std::abs(pay<T>(smooth, {0, 9}, {0}, {9, -5.0}) - 1e-4) < tolerance);  // 0.1^(2^2)
  CHECK(std::isnan(pay<T>(smooth, {0, 9}, {0}, {9, std::nan("")})));
  const ToleranceReward<T> of_action(0, From::kAction, quadratic);
  CHECK(std::abs(pay<T>(of_action, {0}, {-2.0}, {0}) - 0.5) < tolerance);
  CHECK(std::abs(pay<T>(of_action, {0}, {1.0}, {0}) - 0.875) < tolerance);  // 1 - 0.5 / 4
  CHECK(pay<T>(of_action, {0}, {5.0}, {0}) == 0.0);
  CHECK_THROWS_AS(of_action.require_dims(3, 0), ShapeError);
  CHECK_THROWS_AS(smooth.require_dims(1, 3), ShapeError);
  CHECK_THROWS_AS(ToleranceReward<T>(0, From::kState, {0.0, 0.0, 1.0, 0.0, Falloff::kGaussian}), ValueError);
  CHECK_THROWS_AS(ToleranceReward<T>(0, From::kState, {0.0, 0.0, 0.0, 0.1, Falloff::kGaussian}), ValueError);
  CHECK_THROWS_AS(ToleranceReward<T>(0, From::kState, {1.0, 0.0, 1.0, 0.1, Falloff::kGaussian}), ValueError);
}

TEST_CASE("products multiply, nested ones too") {
  using Double = std::shared_ptr<const Reward<double>>;
  const Double first = std::make_shared<const LinearReward<double>>(Eigen::Vector2d(1.0, 0.0), 0.0, At::kNextState);
  const Double second = std::make_shared<const LinearReward<double>>(Eigen::Vector2d(0.0, 1.0), 1.0, At::kNextState);
  const Double both = std::make_shared<const ProductReward<double>>(std::vector<Double>{first, second}, -2.0);
  CHECK(pay<double>(*both, {0, 0}, {0}, {3, 4}) == -30.0);                                      // -2 * 3 * 5
  CHECK(pay<double>(ProductReward<double>({both, first}, 1.0), {0, 0}, {0}, {3, 4}) == -90.0);  // -30 * 3
  CHECK_THROWS_AS(both->require_dims(3, 1), ShapeError);
  CHECK_THROWS_AS(ProductReward<double>({first}, kInfinite), ValueError);
}

TEST_CASE_TEMPLATE("the double pendulum is paid for its tip", T, float, double) {
  const DoublePendulumReward<T> reward(10.0);
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
  // Upright at x = 1: height 1.2, so 10 - 0.01 - 0.64.
  CHECK(std::abs(pay<T>(reward, {}, {0}, {1, 0, 0, 1, 1, 0, 0, 0, 0}) - 9.35) < tolerance);
  // First link level to the right, second up: tip at (0.6, 0.6), so -0.0036 - 1.96.
  CHECK(std::abs(pay<T>(reward, {}, {0}, {0, 1, -1, 0, 0, 0, 0, 0, 0}) + 1.9636) < tolerance);
  CHECK_THROWS_AS(reward.require_dims(4, 1), ShapeError);
}

TEST_CASE_TEMPLATE("the acrobot pays for each step until its tip is up", T, float, double) {
  const AcrobotReward<T> reward;
  CHECK(pay<T>(reward, {}, {0}, {1, 0, 1, 0, 0, 0}) == -1.0);   // hangs
  CHECK(pay<T>(reward, {}, {0}, {-1, 0, 1, 0, 0, 0}) == 0.0);   // stands
  CHECK(pay<T>(reward, {}, {0}, {-1, 0, 0, 1, 0, 0}) == -1.0);  // the second link level: not more than its length
  CHECK_THROWS_AS(reward.require_dims(3, 1), ShapeError);
}

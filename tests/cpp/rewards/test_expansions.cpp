#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "dynaplan/rewards/acrobot.hpp"
#include "dynaplan/rewards/action.hpp"
#include "dynaplan/rewards/angle.hpp"
#include "dynaplan/rewards/ball_clearance.hpp"
#include "dynaplan/rewards/box_clearance.hpp"
#include "dynaplan/rewards/distance.hpp"
#include "dynaplan/rewards/double_pendulum.hpp"
#include "dynaplan/rewards/excess.hpp"
#include "dynaplan/rewards/inside.hpp"
#include "dynaplan/rewards/linear.hpp"
#include "dynaplan/rewards/path.hpp"
#include "dynaplan/rewards/path_clearance.hpp"
#include "dynaplan/rewards/predicted.hpp"
#include "dynaplan/rewards/product.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/scheduled.hpp"
#include "dynaplan/rewards/sum.hpp"
#include "dynaplan/rewards/tolerance.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

constexpr Index kStates = 5;
constexpr Index kActions = 2;
constexpr Index kVariables = 2 * (kStates + kActions);
constexpr Index kLanes = 8;
using Terms = std::vector<std::shared_ptr<const Reward<double>>>;

// The reward as `add` gives it, of state, action, previous action and next state one after another.
double reward_at(const Reward<double>& reward, const Eigen::VectorXd& variables) {
  Tile<double> tile(kVariables, kLanes);
  for (Index i = 0; i < kVariables; ++i) {
    for (Index k = 0; k < kLanes; ++k) tile(i, k) = variables(i);
  }
  const ConstBlock<double> block = tile.view();
  const auto rows = [&](Index first, Index count) {
    return ConstBlock<double>{block.row(first), count, kLanes, block.stride};
  };
  StepView<double> view;
  view.state = rows(0, kStates);
  view.action = rows(kStates, kActions);
  view.previous_action = rows(kStates + kActions, kActions);
  view.next = rows(kStates + 2 * kActions, kStates);
  view.step = 1;  // the last of two
  view.horizon = 2;
  std::vector<double, Eigen::aligned_allocator<double>> total(kLanes, 0.0);
  Workspace workspace;
  workspace.reserve(reward.workspace_bytes(kLanes));
  reward.add(view, workspace, total.data());
  return total[0];
}

struct Expanded {
  double value;
  Eigen::VectorXd gradient;
  Eigen::MatrixXd hessian;
};

Expanded expand(const Reward<double>& reward, const Eigen::VectorXd& variables) {
  Workspace workspace;
  workspace.reserve(RewardExpansion<double>::bytes(kVariables) + reward.expansion_bytes(kVariables));
  auto expansion = RewardExpansion<double>::take(workspace, kVariables);
  reward.expand({variables.data(), kStates, kActions, 1, 2}, workspace, expansion);
  return {expansion.value, Eigen::Map<Eigen::VectorXd>(expansion.gradient, kVariables),
          Eigen::Map<Eigen::MatrixXd>(expansion.hessian, kVariables, kVariables)};
}

// Central differences with a step of 1e-4: 1e-8 of truncation, and 1e-16 / 1e-8 of rounding in second ones.
void check_against_differences(const Reward<double>& reward, unsigned seed) {
  constexpr double kStep = 1e-4;
  REQUIRE(reward.has_derivatives());
  const Eigen::VectorXd at = 0.7 * random_matrix(kVariables, 1, seed);
  const Expanded found = expand(reward, at);
  CHECK(found.value == doctest::Approx(reward_at(reward, at)).epsilon(1e-12));
  CHECK(found.hessian.isApprox(found.hessian.transpose(), 1e-14));
  const auto moved = [&](Index i, double by_i, Index j, double by_j) {
    Eigen::VectorXd variables = at;
    variables(i) += by_i * kStep;
    variables(j) += by_j * kStep;
    return reward_at(reward, variables);
  };
  for (Index i = 0; i < kVariables; ++i) {
    const double slope = (moved(i, 1, i, 0) - moved(i, -1, i, 0)) / (2 * kStep);
    REQUIRE(std::abs(found.gradient(i) - slope) < 1e-5 * (1.0 + std::abs(slope)));
    for (Index j = 0; j < kVariables; ++j) {
      const double curvature =
          (moved(i, 1, j, 1) - moved(i, 1, j, -1) - moved(i, -1, j, 1) + moved(i, -1, j, -1)) / (4 * kStep * kStep);
      REQUIRE(std::abs(found.hessian(i, j) - curvature) < 1e-5 * (1.0 + std::abs(curvature)));
    }
  }
}

template <class Term, class... Arguments>
std::shared_ptr<const Reward<double>> make(Arguments&&... arguments) {
  return std::make_shared<const Term>(std::forward<Arguments>(arguments)...);
}

Eigen::MatrixXd spread_weights(Index size, unsigned seed) {
  const Eigen::MatrixXd root = random_matrix(size, size, seed);
  return root * root.transpose();
}

}  // namespace

TEST_CASE("derivatives of rewards are those of central differences") {
  const double infinite = std::numeric_limits<double>::infinity();
  const Eigen::VectorXd unbounded = Eigen::VectorXd::Constant(kActions, infinite);
  const Eigen::VectorXd target = random_matrix(kStates, 1, 3);
  const auto quadratic = make<QuadraticReward<double>>(spread_weights(kStates, 1), target, At::kNextState);
  const auto before =
      make<QuadraticReward<double>>(Eigen::MatrixXd(target.cwiseAbs2().asDiagonal()), target, At::kState);
  const auto change = make<ActionChangeCost<double>>(spread_weights(kActions, 2));
  const auto linear = make<LinearReward<double>>(target, 0.4, At::kNextState);
  const auto near = make<ToleranceReward<double>>(2, From::kNextState, ToleranceSettings{-0.1, 0.1, 1.0, 0.1});
  const Terms terms{
      quadratic,
      before,
      change,
      linear,
      near,
      make<ActionCost<double>>(spread_weights(kActions, 4), -unbounded, unbounded),
      make<ActionCost<double>>(spread_weights(kActions, 4), Eigen::Vector2d(-0.3, -9.0), Eigen::Vector2d(0.3, 9.0)),
      make<ChangeReward<double>>(1, 20.0),
      make<ExcessCost<double>>(target.cwiseAbs(), Eigen::VectorXd::Constant(kStates, -0.4),
                               Eigen::VectorXd::Constant(kStates, 0.2), At::kState),
      make<ScheduledReward<double>>(quadratic, Eigen::Vector2d(1.7, -0.6)),
      make<TerminalReward<double>>(change),
      make<AngleReward<double>>(AngleSource{1, -1}, 2.0, 0.3, At::kState),
      make<AngleReward<double>>(AngleSource{3, 0}, 2.0, -0.5, At::kNextState),
      make<DistanceReward<double>>(DistanceEntries{{0, 2}, {1, 4}, Eigen::Vector2d(0.2, -0.1)}, -1.5, At::kNextState),
      make<DistanceReward<double>>(DistanceEntries{{1, 2, 3}, {}, Eigen::Vector3d(2, 1, 0)}, -1.5, At::kState),
      make<BallClearance<double>>(DistanceEntries{{0, 2}, {}, Eigen::Vector2d(0.2, -0.1)}, 0.5, Clearance{true, 0.1},
                                  At::kNextState),
      make<BallClearance<double>>(DistanceEntries{{1, 2, 3}, {0, 4, 0}, Eigen::Vector3d(2, 1, 0)}, 0.5,
                                  Clearance{false, 0.1}, At::kState),
      make<BoxClearance<double>>(EntryBox{{0, 3}, Eigen::Vector2d(-9, -9), Eigen::Vector2d(9, 8)}, Clearance{true, 0.1},
                                 At::kNextState),
      make<BoxClearance<double>>(EntryBox{{0, 3, 1}, Eigen::Vector3d(2, -9, 3), Eigen::Vector3d(3, 9, 4)},
                                 Clearance{false, 0.0}, At::kState),
      make<PathClearance<double>>(EntryPath{{4, 1}, random_matrix(2, 6, 7)}, 0.3, Clearance{false, 0.1},
                                  At::kNextState),
      make<PathClearance<double>>(EntryPath{{4, 1, 0}, 3.0 * random_matrix(3, 4, 8)}, 0.3, Clearance{true, 0.0},
                                  At::kState),
      make<PathClearance<double>>(EntryPath{{2}, Eigen::MatrixXd::Constant(1, 1, 3.0)}, 0.3, Clearance{false, 0.0},
                                  At::kState),
      make<PathError<double>>(EntryPath{{4, 1}, random_matrix(2, 6, 7)}, 1.5, At::kNextState),
      make<PathError<double>>(EntryPath{{4, 1, 0}, 3.0 * random_matrix(3, 4, 8)}, -0.5, At::kState),
      make<PathProgress<double>>(EntryPath{{2, 0}, 3.0 * random_matrix(2, 5, 9)}, 1.5),
      make<WithinReward<double>>(DistanceEntries{{0}, {}, Eigen::VectorXd::Zero(1)}, 0.5, 3.0, At::kState),
      make<InsideReward<double>>(Eigen::VectorXd::Constant(kStates, -9.0), Eigen::VectorXd::Constant(kStates, 9.0), 2.0,
                                 At::kNextState),
      make<DoublePendulumReward<double>>(10.0),
      make<AcrobotReward<double>>(),
      make<ToleranceReward<double>>(0, From::kState, ToleranceSettings{0.5, 2.0, 3.0, 0.2, Falloff::kQuadratic}),
      make<ToleranceReward<double>>(1, From::kAction, ToleranceSettings{5.0, 6.0, 9.0, 0.0, Falloff::kQuadratic}),
      make<SumReward<double>>(Terms{quadratic, change, near}),
      make<ProductReward<double>>(Terms{near, linear, change}, -1.5),
      make<ProductReward<double>>(Terms{make<ProductReward<double>>(Terms{near, before}, 2.0), linear}, 0.5),
  };
  for (const auto& term : terms) {
    for (unsigned seed = 10; seed < 14; ++seed) check_against_differences(*term, seed);
  }
}

TEST_CASE("the quadratic of a distance touches the reward and is nowhere above it") {
  const auto distance =
      make<DistanceReward<double>>(DistanceEntries{{0, 2}, {1, 4}, Eigen::Vector2d(0.2, -0.1)}, 1.5, At::kNextState);
  for (unsigned seed = 20; seed < 24; ++seed) {
    const Eigen::VectorXd at = 0.7 * random_matrix(kVariables, 1, seed);
    const Expanded found = expand(*distance, at);
    CHECK(found.value == doctest::Approx(reward_at(*distance, at)).epsilon(1e-12));
    for (const double size : {1e-4, 0.1, 1.0, 10.0}) {
      const Eigen::VectorXd move = size * random_matrix(kVariables, 1, seed + 100);
      const double quadratic = found.value + found.gradient.dot(move) + 0.5 * move.dot(found.hessian * move);
      const double reward = reward_at(*distance, at + move);
      CHECK(quadratic <= reward + 1e-12 * (1.0 + std::abs(reward)));
      if (size < 1e-3) CHECK(quadratic == doctest::Approx(reward).epsilon(1e-6));
    }
  }
}

TEST_CASE("where a reward is not differentiable its derivatives are finite") {
  const Eigen::VectorXd at = Eigen::VectorXd::Zero(kVariables);
  const auto distance =
      make<DistanceReward<double>>(DistanceEntries{{0, 1}, {}, Eigen::Vector2d::Zero()}, 1.0, At::kState);
  const auto direction = make<AngleReward<double>>(AngleSource{0, 1}, 1.0, 0.5, At::kState);
  for (const auto& term : {distance, direction}) {
    const Expanded found = expand(*term, at);
    CHECK(found.gradient.isZero());
    CHECK(found.hessian.isZero());
  }
}

TEST_CASE("a reward tells what it needs and what it is") {
  const double low[] = {-1.0, -1.0};
  const double high[] = {1.0, 1.0};
  const Eigen::Matrix2d weights = Eigen::Matrix2d::Identity();
  const auto clipped = make<ActionCost<double>>(weights, Eigen::Vector2d(-1, -1), Eigen::Vector2d(1, 0.5));
  const auto inside = make<ActionCost<double>>(weights, Eigen::Vector2d(-1, -1), Eigen::Vector2d(1, 1));
  const auto change = make<ActionChangeCost<double>>(weights);
  const auto angle = make<AngleReward<double>>(AngleSource{1, -1}, 2.0, 0.3, At::kState);
  const auto predicted = make<PredictedReward<double>>();
  CHECK(!clipped->is_quadratic(low, high));
  CHECK(inside->is_quadratic(low, high));
  CHECK(!angle->is_quadratic(low, high));
  CHECK(SumReward<double>({inside, change}).is_quadratic(low, high));
  CHECK(!SumReward<double>({inside, angle}).is_quadratic(low, high));
  CHECK(ProductReward<double>({inside}, 2.0).is_quadratic(low, high));
  CHECK(!ProductReward<double>({inside, change}, 2.0).is_quadratic(low, high));
  CHECK(SumReward<double>({inside, change}).needs_previous_action());
  CHECK(ProductReward<double>({inside, change}, 2.0).needs_previous_action());
  CHECK(!SumReward<double>({inside, angle}).needs_previous_action());
  CHECK(!predicted->has_derivatives());
  CHECK(!SumReward<double>({inside, predicted}).has_derivatives());
}

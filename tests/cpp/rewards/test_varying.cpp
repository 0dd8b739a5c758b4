#include <doctest/doctest.h>

#include <limits>

#include "dynaplan/core/error.hpp"
#include "dynaplan/rewards/action.hpp"
#include "dynaplan/rewards/angle.hpp"
#include "dynaplan/rewards/distance.hpp"
#include "dynaplan/rewards/product.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/scheduled.hpp"
#include "dynaplan/rewards/sum.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

constexpr Index kSteps = 4;

// The reward of lane 5 at `step` of 6.
template <class T>
double at_step(const Reward<T>& reward, const Tile<T>& state, const Tile<T>& action, Index step) {
  const Index lanes = state.view().lanes;
  std::vector<T, Eigen::aligned_allocator<T>> total(static_cast<std::size_t>(lanes), T(0));
  Workspace workspace;
  workspace.reserve(reward.workspace_bytes(lanes));
  reward.add({state.view(), action.view(), action.view(), state.view(), {}, step, 6}, workspace, total.data());
  return static_cast<double>(total[5]);
}

// A term whose targets vary is at each step the term with that step's target, and the last one's beyond.
template <class T, class Make>
void check_each_step(const Make& make, Index dim) {
  const Tile<T> state(dim, 16, 1);
  const Tile<T> action(dim, 16, 2);
  const Eigen::MatrixXd targets = random_matrix(dim, kSteps, 3);
  const auto varying = make(targets);
  CHECK(varying.use_of_step() == UseOfStep::kNeedsStep);
  for (Index step = 0; step < kSteps + 2; ++step) {
    const auto constant = make(targets.col(std::min(step, kSteps - 1)));
    CHECK(constant.use_of_step() == UseOfStep::kNone);
    const double expected = at_step<T>(constant, state, action, step);
    CHECK(at_step<T>(varying, state, action, step) == doctest::Approx(expected).epsilon(sizeof(T) == 4 ? 1e-5 : 1e-12));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("targets vary with the step, the last one holds beyond", T, float, double) {
  const Eigen::VectorXd unbounded = Eigen::VectorXd::Constant(9, std::numeric_limits<double>::infinity());
  const Eigen::MatrixXd root = random_matrix(9, 9, 4);
  const Eigen::MatrixXd dense = root * root.transpose();
  const Eigen::MatrixXd diagonal = dense.diagonal().asDiagonal();
  for (const Eigen::MatrixXd& weights : {dense, diagonal}) {
    check_each_step<T>([&](const auto& targets) { return QuadraticReward<T>(weights, targets, At::kNextState); }, 9);
    check_each_step<T>([&](const auto& targets) { return ActionCost<T>(weights, targets, -unbounded, unbounded); }, 9);
  }
  const auto angle = [](const auto& targets) {
    return AngleReward<T>({0, -1}, 2.0, Eigen::MatrixXd(targets.topRows(1)), At::kState);
  };
  check_each_step<T>(angle, 2);
  const auto direction = [](const auto& targets) {
    return AngleReward<T>({0, 1}, 2.0, Eigen::MatrixXd(targets.topRows(1)), At::kState);
  };
  check_each_step<T>(direction, 2);
  const auto distance = [](const auto& targets) { return DistanceReward<T>({{0, 2}, {}, targets}, 1.5, At::kState); };
  check_each_step<T>([&](const auto& targets) { return distance(Eigen::MatrixXd(targets.topRows(2))); }, 3);
}

TEST_CASE("a quadratic reward whose target varies is not taken apart, a constant one is") {
  RewardParts<double> parts;
  const Eigen::MatrixXd weights = Eigen::MatrixXd::Identity(2, 2);
  const auto make = [&](Index steps) {
    return std::make_shared<const QuadraticReward<double>>(weights, Eigen::MatrixXd::Zero(2, steps), At::kNextState);
  };
  CHECK(!make(3)->take_apart(parts));
  CHECK(!SumReward<double>({make(1), make(3)}).take_apart(parts));
  CHECK(!ScheduledReward<double>(make(1), Eigen::Vector2d(1.0, 2.0)).take_apart(parts));
  CHECK(!TerminalReward<double>(make(1)).take_apart(parts));
  CHECK(make(1)->take_apart(parts));
}

TEST_CASE("a schedule weighs each step, a terminal reward is of the last step alone, and both are reported") {
  const Tile<double> state(1, 16, 1);
  const Tile<double> action(1, 16, 2);
  const auto term = std::make_shared<const QuadraticReward<double>>(Eigen::MatrixXd::Ones(1, 1),
                                                                    Eigen::VectorXd::Zero(1), At::kNextState);
  const auto scheduled = std::make_shared<const ScheduledReward<double>>(term, Eigen::Vector3d(0.0, 2.0, -3.0));
  const auto terminal = std::make_shared<const TerminalReward<double>>(term);
  const double value = at_step<double>(*term, state, action, 0);
  const double weights[] = {0.0, 2.0, -3.0, -3.0, -3.0, -3.0};
  for (Index step = 0; step < 6; ++step) {
    CHECK(at_step<double>(*scheduled, state, action, step) == weights[step] * value);
    CHECK(at_step<double>(*terminal, state, action, step) == (step == 5 ? value : 0.0));
  }
  CHECK(scheduled->use_of_step() == UseOfStep::kNeedsStep);
  CHECK(terminal->use_of_step() == UseOfStep::kNeedsHorizon);
  CHECK(SumReward<double>({scheduled, terminal, term}).use_of_step() == UseOfStep::kNeedsHorizon);
  CHECK(ProductReward<double>({term, scheduled}, 1.0).use_of_step() == UseOfStep::kNeedsStep);
  CHECK(ScheduledReward<double>(terminal, Eigen::Vector2d(1.0, 1.0)).use_of_step() == UseOfStep::kNeedsHorizon);
  CHECK_THROWS_AS(ScheduledReward<double>(term, Eigen::VectorXd()), ShapeError);
  CHECK_THROWS_AS(ScheduledReward<double>(term, Eigen::Vector2d(1.0, std::nan(""))), ValueError);
  CHECK_THROWS_AS(AngleReward<double>({0, -1}, 1.0, Eigen::MatrixXd::Zero(2, 3), At::kState), ShapeError);
  CHECK_THROWS_AS(AngleReward<double>({0, -1}, 1.0, Eigen::MatrixXd::Zero(1, 0), At::kState), ShapeError);
}

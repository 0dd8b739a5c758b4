#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "dynaplan/core/error.hpp"
#include "dynaplan/terminations/box.hpp"
#include "dynaplan/terminations/two_links.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

namespace {

template <class T>
void mark(const Termination<T>& termination, const Tile<T>& next, std::vector<T>& alive) {
  Workspace workspace;
  workspace.reserve(termination.workspace_bytes(next.view().lanes));
  termination.mark({next.view(), {}, {}, next.view(), {}}, workspace, alive.data());
}

}  // namespace

TEST_CASE("a lane ends where its next state leaves the box or is nan, and never comes back") {
  const double infinite = std::numeric_limits<double>::infinity();
  const Outside<float> outside(Eigen::Vector2d(-1.0, -infinite), Eigen::Vector2d(1.0, 2.0));
  Tile<float> next(2, 16);
  next(0, 1) = 1.5F;
  next(0, 2) = 1.0F;
  next(1, 3) = 2.5F;
  next(1, 4) = -1e30F;
  next(1, 5) = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> alive(16, 1.0F);
  alive[6] = 0.0F;
  mark<float>(outside, next, alive);
  const std::vector<float> expected{1, 0, 1, 0, 1, 0, 0};
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(alive[k] == expected[k]);
}

TEST_CASE("a lane ends where its next state reaches a goal, and a nan has not reached it") {
  const double infinite = std::numeric_limits<double>::infinity();
  const Inside<float> goal(Eigen::Vector2d(1.0, -infinite), Eigen::Vector2d(infinite, 2.0));
  Tile<float> next(2, 16);
  next(0, 1) = 1.0F;
  next(0, 2) = 5.0F;
  next(1, 2) = 3.0F;
  next(0, 3) = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> alive(16, 1.0F);
  alive[4] = 0.0F;
  mark<float>(goal, next, alive);
  const std::vector<float> expected{1, 0, 1, 1, 0};
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(alive[k] == expected[k]);
  CHECK_THROWS_AS(goal.require_dims(1, 1), ShapeError);
}

TEST_CASE("the double pendulum ends where its tip is not above 1") {
  Tile<double> next(9, 8);
  const auto set_angles = [&](Index lane, double first, double second) {
    next(1, lane) = std::sin(first);
    next(2, lane) = std::sin(second);
    next(3, lane) = std::cos(first);
    next(4, lane) = std::cos(second);
  };
  set_angles(0, 0.0, 0.0);   // 1.2
  set_angles(1, 0.5, -0.5);  // 0.6 cos 0.5 + 0.6 = 1.127
  set_angles(2, 0.5, 0.5);   // 0.6 cos 0.5 + 0.6 cos 1 = 0.851
  next(1, 3) = std::nan("");
  std::vector<double> alive(8, 1.0);
  mark<double>(TwoLinksWithin<double>(kInvertedDoublePendulum, 1.0), next, alive);
  const std::vector<double> expected{1, 1, 0, 0};
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(alive[k] == expected[k]);
}

TEST_CASE_TEMPLATE("the acrobot ends where its tip is more than a link's length above its hinge", T, float, double) {
  Tile<T> next(6, 16);
  const auto set_angles = [&](Index lane, double first, double second) {
    next(0, lane) = static_cast<T>(std::cos(first));
    next(1, lane) = static_cast<T>(std::sin(first));
    next(2, lane) = static_cast<T>(std::cos(second));
    next(3, lane) = static_cast<T>(std::sin(second));
  };
  const double pi = std::acos(-1.0);
  set_angles(0, 0.0, 0.0);         // hangs: -2
  set_angles(1, pi, 0.0);          // stands: 2
  set_angles(2, pi, 0.51 * pi);    // 1 + cos 0.51 pi = 0.97
  set_angles(3, pi, 0.49 * pi);    // 1.03
  set_angles(4, 0.75 * pi, -2.0);  // -cos 2.356 - cos 0.356 = -0.23
  std::vector<T> alive(16, T(1));
  mark<T>(TwoLinksWithin<T>(kAcrobot, -1.0), next, alive);
  const std::vector<T> expected{1, 0, 1, 0, 1};
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(alive[k] == expected[k]);
  CHECK_THROWS_AS(TwoLinksWithin<T>(kAcrobot, -1.0).require_dims(3, 1), ShapeError);
  CHECK_THROWS_AS(TwoLinksWithin<T>(kAcrobot, std::nan("")), ValueError);
}

TEST_CASE("bounds must be bounds, and fit the model") {
  CHECK_THROWS_AS(Outside<float>(Eigen::VectorXd::Ones(1), Eigen::VectorXd::Zero(1)), ValueError);
  CHECK_THROWS_AS(Outside<float>(Eigen::VectorXd::Ones(1), Eigen::VectorXd::Ones(2)), ShapeError);
  CHECK_THROWS_AS(Outside<float>(Eigen::VectorXd::Zero(1), Eigen::VectorXd::Ones(1)).require_dims(2, 1), ShapeError);
}

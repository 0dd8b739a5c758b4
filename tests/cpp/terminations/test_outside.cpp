#include <doctest/doctest.h>

#include <limits>

#include "dynaplan/core/error.hpp"
#include "dynaplan/terminations/outside.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::Tile;

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
  outside.mark(next.view(), {}, next.view(), alive.data());
  const std::vector<float> expected{1, 0, 1, 0, 1, 0, 0};
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(alive[k] == expected[k]);
}

TEST_CASE("bounds must be bounds, and fit the model") {
  CHECK_THROWS_AS(Outside<float>(Eigen::VectorXd::Ones(1), Eigen::VectorXd::Zero(1)), ValueError);
  CHECK_THROWS_AS(Outside<float>(Eigen::VectorXd::Ones(1), Eigen::VectorXd::Ones(2)), ShapeError);
  CHECK_THROWS_AS(Outside<float>(Eigen::VectorXd::Zero(1), Eigen::VectorXd::Ones(1)).require_dims(2), ShapeError);
}

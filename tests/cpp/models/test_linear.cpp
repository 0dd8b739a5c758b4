#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/models/linear.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::Tile;

namespace {

LinearDynamics<double> plane(const Eigen::MatrixXd& noise_factor) {
  Eigen::MatrixXd weights(2, 3);
  weights << 1.0, 0.1, 0.0, 0.0, 1.0, 0.1;  // a double integrator with dt = 0.1
  return {2, PolynomialFeatures(3, 1), weights, Eigen::Vector2d(0.5, 0.0), noise_factor};
}

}  // namespace

TEST_CASE("the mean step is A s + B a + c") {
  const LinearDynamics<double> dynamics = plane(Eigen::MatrixXd::Zero(2, 2));
  Tile<double> state(2, 8, 1);
  Tile<double> action(1, 8, 2);
  Tile<double> next(2, 8);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(8));
  dynamics.step(state.view(), action.view(), Draw{}, workspace, next.block());
  for (Index k = 0; k < 8; ++k) {
    CHECK(next(0, k) == doctest::Approx(state(0, k) + 0.1 * state(1, k) + 0.5));
    CHECK(next(1, k) == doctest::Approx(state(1, k) + 0.1 * action(0, k)));
  }
}

TEST_CASE("sampled steps have the covariance L L^T about the mean, and new noise at each step") {
  Eigen::MatrixXd factor(2, 2);
  factor << 2.0, 0.0, -1.0, 0.5;
  const LinearDynamics<double> dynamics = plane(factor);
  Tile<double> state(2, 64);
  Tile<double> action(1, 64);
  Tile<double> next(2, 64);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(64));
  Eigen::Matrix2d sum = Eigen::Matrix2d::Zero();
  double across_steps = 0.0;
  Eigen::Vector2d previous = Eigen::Vector2d::Zero();
  constexpr int kSteps = 4000;
  for (int step = 0; step < kSteps; ++step) {
    dynamics.step(state.view(), action.view(), Draw{{3, 0, 0}, 0, step, Propagation::kSample}, workspace, next.block());
    for (Index k = 0; k < 64; ++k) {
      const Eigen::Vector2d noise(next(0, k) - 0.5, next(1, k));
      sum += noise * noise.transpose();
    }
    const Eigen::Vector2d now(next(0, 0) - 0.5, next(1, 0));
    across_steps += previous.dot(now);
    previous = now;
  }
  // Five standard errors of an entry of size <= 4 over 256,000 draws.
  const Eigen::Matrix2d expected = factor * factor.transpose();
  CHECK((sum / (64.0 * kSteps) - expected).cwiseAbs().maxCoeff() < 5.0 * 4.0 * std::sqrt(2.0 / (64.0 * kSteps)));
  CHECK(std::abs(across_steps / kSteps) < 5.0 * 4.0 / std::sqrt(kSteps));
}

#include "dynaplan/models/jacobians.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/core/error.hpp"
#include "dynaplan/models/linear.hpp"
#include "networks.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_matrix;
using dynaplan_test::random_networks;
using dynaplan_test::Tile;

namespace {

constexpr Index kLanes = 24;

class Prober {
 public:
  explicit Prober(const Dynamics<double>& dynamics)
      : dynamics_(dynamics),
        state_(dynamics.state_dim(), kLanes, 7),
        action_(dynamics.action_dim(), kLanes, 8),
        next_(dynamics.output_dim(), kLanes) {
    workspace_.reserve(dynamics.workspace_bytes(kLanes));
  }

  // Next states with one input moved by `change` in all lanes.
  Tile<double> moved(Index input, double change) {
    double* const row =
        input < dynamics_.state_dim() ? state_.block().row(input) : action_.block().row(input - dynamics_.state_dim());
    for (Index k = 0; k < kLanes; ++k) row[k] += change;
    dynamics_.step(state_.view(), action_.view(), Draw(), workspace_, next_.block());
    for (Index k = 0; k < kLanes; ++k) row[k] -= change;
    return next_;
  }

  ConstBlock<double> state() const { return state_.view(); }
  ConstBlock<double> action() const { return action_.view(); }

 private:
  const Dynamics<double>& dynamics_;
  Workspace workspace_;
  Tile<double> state_;
  Tile<double> action_;
  Tile<double> next_;
};

void check_against_differences(const Dynamics<double>& dynamics) {
  const Index state_dim = dynamics.state_dim();
  const Index action_dim = dynamics.action_dim();
  Prober prober(dynamics);
  Tile<double> next(state_dim, kLanes);
  Tile<double> of_state(state_dim * state_dim, kLanes);
  Tile<double> of_action(state_dim * action_dim, kLanes);
  Workspace workspace;
  workspace.reserve(dynamics.jacobians_workspace_bytes(kLanes));
  dynamics.jacobians(prober.state(), prober.action(), workspace, {next.block(), of_state.block(), of_action.block()});
  const Tile<double> stepped = prober.moved(0, 0.0);
  // Central differences err by the third derivative times step^2 / 6 and by rounding / step: 1e-9 or so each.
  constexpr double kStep = 3e-5;
  for (Index input = 0; input < state_dim + action_dim; ++input) {
    const Tile<double> above = prober.moved(input, kStep);
    const Tile<double> below = prober.moved(input, -kStep);
    for (Index d = 0; d < state_dim; ++d) {
      for (Index k = 0; k < kLanes; ++k) {
        const double difference = (above(d, k) - below(d, k)) / (2.0 * kStep);
        const double exact =
            input < state_dim ? of_state(d * state_dim + input, k) : of_action(d * action_dim + input - state_dim, k);
        REQUIRE(std::abs(exact - difference) < 1e-8 * (1.0 + std::abs(exact)));
        REQUIRE(std::abs(next(d, k) - stepped(d, k)) < 1e-12 * (1.0 + std::abs(next(d, k))));
      }
    }
  }
}

class Opaque final : public Dynamics<double> {
 public:
  Index state_dim() const override { return 1; }
  Index action_dim() const override { return 1; }
  std::size_t workspace_bytes(Index /*lanes*/) const override { return 0; }
  void step(ConstBlock<double> /*state*/, ConstBlock<double> /*action*/, const Draw& /*draw*/, Workspace& /*workspace*/,
            Block<double> /*next*/) const override {}
};

}  // namespace

TEST_CASE("derivatives of networks are those of central differences") {
  NetworkShape shape;
  shape.state_dim = 4;
  shape.action_dim = 2;
  for (const Activation activation : {Activation::kSiLU, Activation::kTanh}) {
    for (const std::vector<Index>& hidden : {std::vector<Index>{}, {9}, {12, 7, 10}}) {
      shape.activation = activation;
      shape.hidden = hidden;
      shape.angles = {};
      shape.rewards = false;
      check_against_differences(NetworkDynamics<double>(random_networks(shape, 1)));
      shape.angles = {0, 3};
      shape.rewards = true;
      check_against_differences(NetworkDynamics<double>(random_networks(shape, 3)));
    }
  }
}

TEST_CASE("derivatives of polynomials are those of central differences") {
  for (const int degree : {1, 2, 4}) {
    const PolynomialFeatures features(5, degree);
    const Eigen::MatrixXd weights = 0.1 * random_matrix(3, features.count(), 1);
    check_against_differences(
        LinearDynamics<double>(3, features, weights, random_matrix(3, 1, 2), Eigen::MatrixXd::Zero(3, 3)));
  }
}

TEST_CASE("dynamics without derivatives say so") {
  const double number = 0.0;
  double out = 0.0;
  const StepQuery query{&number, &number, 1, 1, 1};
  CHECK_THROWS_AS(jacobians(Opaque(), query, {&out, &out, &out}), Error);
}

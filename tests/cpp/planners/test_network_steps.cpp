#include <doctest/doctest.h>

#include "models/networks.hpp"
#include "planners/allocations.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::allocations;
using dynaplan_test::Tile;

TEST_CASE("a step, a disagreement and derivatives of an ensemble ask for no memory") {
  NetworkShape shape;
  shape.state_dim = 3;
  shape.action_dim = 2;
  shape.angles = {1};
  shape.hidden = {20, 30};
  shape.probabilistic = true;
  shape.rewards = true;
  const NetworkDynamics<float> dynamics(dynaplan_test::random_networks(shape, 3));
  constexpr Index kLanes = 64;
  Tile<float> state(3, kLanes, 1);
  Tile<float> action(2, kLanes, 2);
  Tile<float> next(4, kLanes);
  Tile<float> of_state(9, kLanes);
  Tile<float> of_action(6, kLanes);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes) + dynamics.jacobians_workspace_bytes(kLanes));
  const long before = allocations();
  Draw draw;
  draw.particles = 20;
  for (const Propagation propagation :
       {Propagation::kMean, Propagation::kSample, Propagation::kTs1, Propagation::kTsInf, Propagation::kMoment}) {
    draw.propagation = propagation;
    dynamics.step(state.view(), action.view(), draw, workspace, next.block());
  }
  dynamics.disagreement(state.view(), action.view(), workspace, next.block().row(0));
  dynamics.jacobians(state.view(), action.view(), workspace,
                     {next.block().rows(0, 3), of_state.block(), of_action.block()});
  CHECK(allocations() == before);
}

#include "dynaplan/models/network_dynamics.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <vector>

#include "dynaplan/models/member_choice.hpp"
#include "networks.hpp"
#include "tiles.hpp"

using namespace dynaplan;
using dynaplan_test::random_networks;
using dynaplan_test::Tile;

namespace {

constexpr Index kLanes = 64;

NetworkShape probabilistic_shape() {
  NetworkShape shape;
  shape.state_dim = 3;
  shape.action_dim = 2;
  shape.hidden = {16, 16};
  shape.probabilistic = true;
  shape.rewards = true;
  return shape;
}

Draw draw_of(Propagation propagation, Index step, Index particle, Index particles) {
  Draw draw;
  draw.stream = {11, 2, 3};
  draw.propagation = propagation;
  draw.step = step;
  draw.particle = particle;
  draw.particles = particles;
  return draw;
}

// How often each of `members` is dealt in one step to `particles`.
std::vector<int> dealt(Index step, Index particles, Index members) {
  std::vector<int> counts(static_cast<std::size_t>(members), 0);
  for (Index p = 0; p < particles; ++p) {
    const Index member = dealt_member(draw_of(Propagation::kTs1, step, p, particles), members);
    REQUIRE(member >= 0);
    REQUIRE(member < members);
    ++counts[static_cast<std::size_t>(member)];
  }
  return counts;
}

Tile<double> stepped(const NetworkDynamics<double>& dynamics, const Draw& draw) {
  Tile<double> state(dynamics.state_dim(), kLanes, 1);
  Tile<double> action(dynamics.action_dim(), kLanes, 2);
  Tile<double> next(dynamics.output_dim(), kLanes);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  dynamics.step(state.view(), action.view(), draw, workspace, next.block());
  return next;
}

bool same(const Tile<double>& a, const Tile<double>& b) {
  for (Index k = 0; k < kLanes; ++k) {
    if (a(0, k) != b(0, k)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("every step deals the members to the particles as evenly as they go") {
  for (const Index members : {1, 2, 5, 7}) {
    for (const Index particles : {1, 4, 5, 20, 23}) {
      for (Index step = 0; step < 8; ++step) {
        for (const int count : dealt(step, particles, members)) {
          CHECK(count >= static_cast<int>(particles / members));
          CHECK(count <= static_cast<int>((particles + members - 1) / members));
        }
      }
    }
  }
}

TEST_CASE("over many steps every particle meets every member equally often") {
  constexpr Index kMembers = 5;
  constexpr int kSteps = 4000;
  for (const Index particles : {1, 3, 5, 7}) {
    for (Index p = 0; p < particles; ++p) {
      std::vector<int> counts(kMembers, 0);
      for (Index step = 0; step < kSteps; ++step) {
        ++counts[static_cast<std::size_t>(dealt_member(draw_of(Propagation::kTs1, step, p, particles), kMembers))];
      }
      // Binomial: 800 with a standard deviation of 25.
      for (const int count : counts) CHECK(std::abs(count - kSteps / kMembers) < 125);
    }
  }
}

TEST_CASE("a lasting member depends on the particle alone, and particles share out the members") {
  std::vector<int> counts(5, 0);
  for (Index p = 0; p < 20; ++p) {
    const Index member = lasting_member(draw_of(Propagation::kTsInf, 0, p, 20), 5);
    CHECK(member == p / 4);
    CHECK(member == lasting_member(draw_of(Propagation::kTsInf, 9, p, 20), 5));
  }
  std::set<Index> distinct;
  for (Index p = 0; p < 3; ++p) distinct.insert(lasting_member(draw_of(Propagation::kTsInf, 0, p, 3), 5));
  CHECK(distinct.size() == 3);
}

TEST_CASE("noise differs between steps, particles and iterations, and repeats with the draw") {
  const NetworkDynamics<double> dynamics(random_networks(probabilistic_shape(), 1));
  const Tile<double> first = stepped(dynamics, draw_of(Propagation::kTsInf, 4, 1, 3));
  CHECK(same(first, stepped(dynamics, draw_of(Propagation::kTsInf, 4, 1, 3))));
  CHECK_FALSE(same(first, stepped(dynamics, draw_of(Propagation::kTsInf, 5, 1, 3))));
  CHECK_FALSE(same(first, stepped(dynamics, draw_of(Propagation::kTsInf, 4, 2, 3))));
  Draw other = draw_of(Propagation::kTsInf, 4, 1, 3);
  other.stream.iteration = 4;
  CHECK_FALSE(same(first, stepped(dynamics, other)));
}

TEST_CASE("samples over members and noise have the mean and the variance of the mixture") {
  constexpr Index kMembers = 4;
  const NetworkDynamics<double> dynamics(random_networks(probabilistic_shape(), kMembers));
  Tile<double> state(3, kLanes, 1);
  Tile<double> action(2, kLanes, 2);
  Tile<double> mean(4, kLanes);
  Tile<double> aleatoric(4, kLanes);
  Tile<double> epistemic(4, kLanes);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  dynamics.moments(state.view(), action.view(), 0, workspace, mean.block(), aleatoric.block(), epistemic.block());
  constexpr Index kDraws = 8000;
  for (const Propagation propagation : {Propagation::kTs1, Propagation::kTsInf}) {
    Eigen::ArrayXXd sum = Eigen::ArrayXXd::Zero(4, kLanes);
    Eigen::ArrayXXd squares = sum;
    for (Index p = 0; p < kDraws; ++p) {
      const Tile<double> next = stepped(dynamics, draw_of(propagation, 0, p, kDraws));
      for (Index d = 0; d < 4; ++d) {
        for (Index k = 0; k < kLanes; ++k) {
          const double apart = next(d, k) - mean(d, k);
          sum(d, k) += apart;
          squares(d, k) += apart * apart;
        }
      }
    }
    for (Index d = 0; d < 4; ++d) {
      for (Index k = 0; k < kLanes; ++k) {
        const double variance = aleatoric(d, k) + epistemic(d, k);
        // Five standard errors of a mean, and of a variance: members are dealt evenly, so both are smaller.
        CHECK(std::abs(sum(d, k)) / kDraws < 5.0 * std::sqrt(variance / kDraws));
        CHECK(std::abs(squares(d, k) / kDraws / variance - 1.0) < 5.0 * std::sqrt(2.0 / kDraws));
      }
    }
  }
}

TEST_CASE_TEMPLATE("a few trajectories take a shorter way to the same bits", T, float, double) {
  for (const bool probabilistic : {false, true}) {
    for (const std::vector<Index>& hidden : {std::vector<Index>{}, {7}, {40, 150}}) {
      NetworkShape shape = probabilistic_shape();
      shape.probabilistic = probabilistic;
      shape.hidden = hidden;
      const NetworkDynamics<T> dynamics(random_networks(shape, 3));
      constexpr Index kLanesOfOne = kVectorLanes<T>;
      Tile<T> state(3, kLanesOfOne, 1);
      Tile<T> action(2, kLanesOfOne, 2);
      Tile<T> all(4, kLanesOfOne);
      Tile<T> few(4, kLanesOfOne);
      Workspace workspace;
      workspace.reserve(dynamics.workspace_bytes(kLanesOfOne));
      for (const Propagation propagation : {Propagation::kMean, Propagation::kTs1}) {
        Draw draw = draw_of(propagation, 2, 0, 1);
        dynamics.step(state.view(), action.view(), draw, workspace, all.block());
        for (Index wanted = 1; wanted <= RowNetwork<T>::kMaxLanes; ++wanted) {
          draw.candidates = wanted;
          dynamics.step(state.view(), action.view(), draw, workspace, few.block());
          for (Index d = 0; d < 4; ++d) {
            for (Index k = 0; k < wanted; ++k) REQUIRE(few(d, k) == all(d, k));
          }
        }
      }
    }
  }
}

TEST_CASE("a lane's step does not depend on how many lanes there are") {
  const NetworkDynamics<double> dynamics(random_networks(probabilistic_shape(), 3));
  const Index few = kVectorLanes<double>;
  const Tile<double> all = stepped(dynamics, draw_of(Propagation::kTs1, 0, 0, 1));
  Tile<double> state(3, kLanes, 1);
  Tile<double> action(2, kLanes, 2);
  Tile<double> next(4, few);
  Workspace workspace;
  workspace.reserve(dynamics.workspace_bytes(kLanes));
  for (Index lane = 0; lane < kLanes; lane += few) {
    Draw draw = draw_of(Propagation::kTs1, 0, 0, 1);
    draw.first_candidate = lane;
    dynamics.step({&state(0, lane), 3, few, kLanes}, {&action(0, lane), 2, few, kLanes}, draw, workspace, next.block());
    for (Index d = 0; d < 4; ++d) {
      for (Index k = 0; k < few; ++k) REQUIRE(next(d, k) == all(d, lane + k));
    }
  }
}

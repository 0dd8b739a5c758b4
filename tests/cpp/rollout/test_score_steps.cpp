#include "dynaplan/rollout/score_steps.hpp"

#include <doctest/doctest.h>

#include "dynaplan/core/error.hpp"
#include "dynaplan/rewards/linear.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/scheduled.hpp"
#include "dynaplan/rollout/rollout.hpp"
#include "tiles.hpp"

using namespace dynaplan;

namespace {

// Takes all lanes at once, and remembers how many it was given: s' = s + a.
class Wide final : public Dynamics<float> {
 public:
  Index state_dim() const override { return 1; }
  Index action_dim() const override { return 1; }
  Index max_lanes() const override { return 1000; }
  std::size_t workspace_bytes(Index) const override { return 0; }
  void step(ConstBlock<float> state, ConstBlock<float> action, const Draw& draw, Workspace&,
            Block<float> next) const override {
    calls += 1;
    candidates += draw.candidates;
    for (Index k = 0; k < state.lanes; ++k) next.row(0)[k] = state.row(0)[k] + action.row(0)[k];
  }
  mutable Index calls = 0;
  mutable Index candidates = 0;
};

}  // namespace

TEST_CASE("rows of different steps, in any order, are each scored at their own") {
  const Index count = 300;
  std::vector<double> states(count);
  std::vector<double> rewards(count);
  std::vector<std::int64_t> steps(count);
  for (Index n = 0; n < count; ++n) {
    states[static_cast<std::size_t>(n)] = 0.01 * static_cast<double>(n);
    steps[static_cast<std::size_t>(n)] = (n * 7) % 5;
  }
  StepBatch batch{states.data(), states.data(), states.data(), nullptr, steps.data(), 5, count, 1, 1};
  const Eigen::MatrixXd targets = dynaplan_test::random_matrix(1, 4, 1);
  const QuadraticReward<double> reward(Eigen::MatrixXd::Ones(1, 1), targets, At::kNextState);
  score_steps(reward, batch, rewards.data());
  for (std::size_t n = 0; n < rewards.size(); ++n) {
    const double target = targets(0, std::min<Index>(steps[n], 3));
    CHECK(rewards[n] == doctest::Approx(-(states[n] - target) * (states[n] - target)).epsilon(1e-14));
  }

  const TerminalReward<double> terminal(
      std::make_shared<const LinearReward<double>>(Eigen::VectorXd::Ones(1), 0.0, At::kNextState));
  score_steps(terminal, batch, rewards.data());
  for (std::size_t n = 0; n < rewards.size(); ++n) CHECK(rewards[n] == (steps[n] == 4 ? states[n] : 0.0));
  batch.horizon = 0;
  CHECK_THROWS_AS(score_steps(terminal, batch, rewards.data()), ValueError);
  batch.steps = nullptr;
  CHECK_THROWS_AS(score_steps(reward, batch, rewards.data()), ValueError);
  steps[17] = -1;
  batch.steps = steps.data();
  CHECK_THROWS_AS(score_steps(reward, batch, rewards.data()), ValueError);
}

TEST_CASE("dynamics that want many lanes are called once a step with all candidates") {
  const Wide dynamics;
  const LinearReward<float> reward(Eigen::VectorXd::Ones(1), 0.0, At::kNextState);
  RolloutProblem<float> problem;
  problem.dynamics = &dynamics;
  problem.reward = &reward;
  const Index horizon = 3;
  for (const Index count : {1, 500, 2345}) {
    dynamics.calls = dynamics.candidates = 0;
    const float state = 0.0F;
    const std::vector<float> actions(static_cast<std::size_t>(count * horizon), 1.0F);
    std::vector<float> totals(static_cast<std::size_t>(count));
    RolloutBatch<float> batch;
    batch.count = count;
    batch.horizon = horizon;
    batch.states = &state;
    batch.one_state = true;
    batch.actions = actions.data();
    batch.totals = totals.data();
    rollout(problem, batch);
    for (const float total : totals) CHECK(total == 6.0F);  // 1 + 2 + 3
    CHECK(dynamics.calls == horizon * ((count + 999) / 1000));
    CHECK(dynamics.candidates == horizon * count);
  }
}

TEST_CASE("a state that is not finite is found in any lane of a wide block") {
  const Wide dynamics;
  RolloutProblem<float> problem;
  problem.dynamics = &dynamics;
  std::vector<float> states(500, 0.0F);
  const std::vector<float> actions(500, 1.0F);
  std::vector<float> trajectories(1000);
  states[333] = std::numeric_limits<float>::infinity();
  RolloutBatch<float> batch;
  batch.count = 500;
  batch.horizon = 1;
  batch.states = states.data();
  batch.actions = actions.data();
  batch.trajectories = trajectories.data();
  CHECK_THROWS_WITH_AS(rollout(problem, batch), "states: candidate 333, entry 0 is inf, must be finite", ValueError);
}

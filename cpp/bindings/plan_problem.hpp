#pragma once

#include <memory>
#include <optional>

#include "arrays.hpp"
#include "dynaplan/planners/planner.hpp"
#include "dynaplan/rollout/linear_quadratic.hpp"
#include "handles.hpp"
#include "limits.hpp"

namespace dynaplan::bindings {

// Calls a Python function with whole trajectories. Runs outside any parallel region over candidates, so its exception
// just passes.
class PythonScore final : public TrajectoryScore {
 public:
  PythonScore(const py::object& function, const Dynamics<float>& dynamics)
      : function_(function), state_dim_(dynamics.state_dim()), action_dim_(dynamics.action_dim()) {}

  void score(const float* states, const float* actions, const float* known_steps, IndexType count, IndexType horizon,
             float* totals) const override {
    const py::gil_scoped_acquire acquire;
    const py::array_t<float> state_array({count, horizon + 1, state_dim_}, states);
    const py::array_t<float> action_array({count, horizon, action_dim_}, actions);
    py::object steps = py::none();
    if (known_steps != nullptr) steps = py::array_t<float>(count, known_steps);
    const py::array result = function_(state_array, action_array, steps);
    const auto* values = input<double>(result, "reward", {count});
    for (IndexType n = 0; n < count; ++n) totals[n] = static_cast<float>(values[n]);
  }

 private:
  const py::object& function_;
  IndexType state_dim_;
  IndexType action_dim_;
};

// Likewise with the states where candidates end.
class PythonTerminalValue final : public TerminalValue {
 public:
  PythonTerminalValue(const py::object& function, const Dynamics<float>& dynamics)
      : function_(function), state_dim_(dynamics.state_dim()) {}

  void value(const float* states, IndexType count, float* values) const override {
    const py::gil_scoped_acquire acquire;
    const py::array_t<float> state_array({count, state_dim_}, states);
    const py::array result = function_(state_array);
    const auto* found = input<double>(result, "terminal_value", {count});
    for (IndexType n = 0; n < count; ++n) values[n] = static_cast<float>(found[n]);
  }

 private:
  const py::object& function_;
  IndexType state_dim_;
};

// Keeps alive, for one call, what a PlanProblem borrows.
class BoundProblem {
 public:
  BoundProblem(const DynamicsHandle& dynamics, const RewardHandle* reward, const py::object& score,
               const py::object& terminal_value, const TerminationHandle* termination, const py::object& limits,
               const py::object& allowed, const py::object& action_rate, double discount, const Particles& particles,
               const KnownGround* known_ground)
      : limits_(limits_of<float>(limits)),
        allowed_(limits_of<float>(allowed)),
        score_function_(score),
        terminal_function_(terminal_value) {
    problem.rollout.dynamics = dynamics.get<float>();
    if (reward != nullptr) problem.rollout.reward = reward->get<float>();
    if (termination != nullptr) problem.rollout.termination = termination->get<float>();
    problem.rollout.limits = limits_ ? &*limits_ : nullptr;
    problem.rollout.allowed = allowed_ ? &*allowed_ : nullptr;
    problem.rollout.discount = static_cast<float>(discount);
    problem.rollout.particles = particles;
    if (known_ground != nullptr) problem.rollout.known_ground = *known_ground;
    if (!score.is_none()) {
      score_.emplace(score_function_, *problem.rollout.dynamics);
      problem.score = &*score_;
    }
    if (!terminal_value.is_none()) {
      terminal_value_.emplace(terminal_function_, *problem.rollout.dynamics);
      problem.terminal_value = &*terminal_value_;
    }
    if (!action_rate.is_none()) {
      action_rate_ = vector_input(py::cast<py::array>(action_rate), "limits.action_rate");
      problem.action_rate = action_rate_.data();
    }
    problem.rollout.validate();
    linear_quadratic_ = LinearQuadraticProblem<float>::of(problem.rollout);
    if (linear_quadratic_) problem.rollout.cheaper = &linear_quadratic_->problem();
  }
  BoundProblem(const BoundProblem&) = delete;
  BoundProblem& operator=(const BoundProblem&) = delete;

  // Whether Python is called while a plan is made, so that plans of several systems must take turns.
  bool calls_python() const { return problem.score != nullptr || problem.terminal_value != nullptr; }

  PlanProblem problem;

 private:
  std::optional<StateLimits<float>> limits_;
  std::optional<StateLimits<float>> allowed_;
  Eigen::VectorXd action_rate_;
  py::object score_function_;
  py::object terminal_function_;
  std::optional<PythonScore> score_;
  std::optional<PythonTerminalValue> terminal_value_;
  std::unique_ptr<const LinearQuadraticProblem<float>> linear_quadratic_;
};

}  // namespace dynaplan::bindings

#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "arrays.hpp"
#include "dynaplan/planners/ilqr.hpp"
#include "dynaplan/planners/search.hpp"
#include "dynaplan/rollout/linear_quadratic.hpp"
#include "handles.hpp"
#include "limits.hpp"

namespace dynaplan::bindings {

// Calls a Python function with whole trajectories. Runs outside any parallel region, so its exception just passes.
template <class T>
class PythonScore final : public TrajectoryScore<T> {
 public:
  PythonScore(const py::object& function, const Dynamics<T>& dynamics)
      : function_(function), state_dim_(dynamics.state_dim()), action_dim_(dynamics.action_dim()) {}

  void score(const T* states, const T* actions, const T* known_steps, IndexType count, IndexType horizon,
             T* totals) const override {
    const py::gil_scoped_acquire acquire;
    const py::array_t<T> state_array({count, horizon + 1, state_dim_}, states);
    const py::array_t<T> action_array({count, horizon, action_dim_}, actions);
    py::object steps = py::none();
    if (known_steps != nullptr) steps = py::array_t<T>(count, known_steps);
    const py::array result = function_(state_array, action_array, steps);
    const auto* values = input<double>(result, "reward", {count});
    for (IndexType n = 0; n < count; ++n) totals[n] = static_cast<T>(values[n]);
  }

  IndexType length(const T* states, const T* actions, IndexType horizon) const override {
    const py::gil_scoped_acquire acquire;
    const py::array_t<T> state_array({IndexType{1}, horizon + 1, state_dim_}, states);
    const py::array_t<T> action_array({IndexType{1}, horizon, action_dim_}, actions);
    return function_.attr("length")(state_array, action_array).template cast<IndexType>();
  }

 private:
  const py::object& function_;
  IndexType state_dim_;
  IndexType action_dim_;
};

// The memory of a planner, kept between calls. One plan at a time.
class PlanMemory {
 public:
  SearchMemory search;
  PlanResult result;
  IlqrMemory ilqr;
  TrajectoryPlan trajectory;

  class Lease {
   public:
    explicit Lease(PlanMemory& memory) : memory_(memory) {
      if (memory.busy_.exchange(true)) {
        throw ValueError("memory: two threads plan with the same memory at once; give each its own MPC");
      }
    }
    ~Lease() { memory_.busy_ = false; }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    PlanMemory& memory_;
  };

 private:
  std::atomic<bool> busy_{false};
};

// What stays the same from plan to plan, in one precision. Keeps alive what its problem borrows.
template <class T>
class BoundProblemOf {
 public:
  BoundProblemOf(const DynamicsHandle& dynamics, const RewardHandle* reward, const py::object& score,
                 const TerminationHandle* termination, const py::object& limits, double discount,
                 const Particles& particles, const KnownGround* known_ground)
      : limits_(limits_of<T>(limits)), score_function_(score) {
    problem.rollout.dynamics = dynamics.get<T>();
    if (reward != nullptr) problem.rollout.reward = reward->get<T>();
    if (termination != nullptr) problem.rollout.termination = termination->get<T>();
    problem.rollout.limits = limits_ ? &*limits_ : nullptr;
    problem.rollout.discount = static_cast<T>(discount);
    problem.rollout.particles = particles;
    if (known_ground != nullptr) problem.rollout.known_ground = *known_ground;
    if (!score.is_none()) {
      score_.emplace(score_function_, *problem.rollout.dynamics);
      problem.score = &*score_;
    }
    problem.rollout.validate();
  }
  BoundProblemOf(const BoundProblemOf&) = delete;
  BoundProblemOf& operator=(const BoundProblemOf&) = delete;

  PlanProblemOf<T> problem;

 private:
  std::optional<StateLimits<T>> limits_;
  py::object score_function_;
  std::optional<PythonScore<T>> score_;
};

// The same for the planners that sample, in float32, and those that go by derivatives, in float64.
class BoundProblem {
 public:
  template <class... Arguments>
  explicit BoundProblem(const Arguments&... arguments) : sampled_(arguments...), exact_(arguments...) {
    // A planner that samples has no use for a reward that the score pays too, one that wants derivatives has.
    if (sampled_.problem.score != nullptr) sampled_.problem.rollout.reward = nullptr;
    linear_quadratic_ = LinearQuadraticProblem<float>::of(sampled_.problem.rollout);
    if (linear_quadratic_) sampled_.problem.rollout.cheaper = &linear_quadratic_->problem();
  }

  const PlanProblem& sampled() const { return sampled_.problem; }
  const ExactPlanProblem& exact() const { return exact_.problem; }

 private:
  BoundProblemOf<float> sampled_;
  BoundProblemOf<double> exact_;
  std::unique_ptr<const LinearQuadraticProblem<float>> linear_quadratic_;
};

inline const char* name_of(PlanStatus status) {
  switch (status) {
    case PlanStatus::kIterations:
      return "iterations";
    case PlanStatus::kConverged:
      return "converged";
    case PlanStatus::kBudget:
      return "budget";
    case PlanStatus::kNoFiniteCandidate:
      break;
  }
  return "no_finite_candidate";
}

// What changes from call to call; the arrays are borrowed for the call.
struct PlanInputs {
  const py::array& state;
  const py::array& low;
  const py::array& high;
  const py::object& warm_start;
  const py::object& elites;
  const py::object& previous_action;
  Stream stream;
  int threads;
  std::optional<Clock::time_point> deadline;

  template <class T>
  PlanProblemOf<T> into(PlanProblemOf<T> problem, IndexType horizon) const {
    const IndexType action_dim = problem.rollout.dynamics->action_dim();
    problem.state = input<double>(state, "state", {problem.rollout.dynamics->state_dim()});
    problem.action_low = input<double>(low, "action_space.low", {action_dim});
    problem.action_high = input<double>(high, "action_space.high", {action_dim});
    problem.warm_start = optional_input<double>(warm_start, "warm_start", {horizon, action_dim});
    if (!elites.is_none()) {
      const auto array = py::cast<py::array>(elites);
      problem.carried.actions = input<double>(array, "elites", {-1, -1, action_dim});
      problem.carried.count = array.shape(0);
      problem.carried.steps = array.shape(1);
    }
    problem.last_action = optional_input<double>(previous_action, "previous_action", {action_dim});
    problem.stream = stream;
    problem.threads = threads;
    problem.deadline = deadline;
    return problem;
  }
};

// A budget beyond a day is none: a time that far need not be one that the clock can tell.
inline std::optional<Clock::time_point> deadline_of(std::optional<double> budget) {
  if (!budget) return std::nullopt;
  if (!(*budget > 0.0)) throw ValueError("budget: got " + std::to_string(*budget) + ", must be above 0 seconds");
  if (*budget > 86400.0) return std::nullopt;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*budget));
}

}  // namespace dynaplan::bindings

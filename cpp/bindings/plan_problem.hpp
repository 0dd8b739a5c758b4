#pragma once

#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "dynaplan/core/check.hpp"
#include "dynaplan/models/delayed_dynamics.hpp"
#include "dynaplan/planners/ilqr.hpp"
#include "dynaplan/planners/precision.hpp"
#include "dynaplan/rewards/later_states.hpp"
#include "dynaplan/rollout/linear_quadratic.hpp"
#include "dynaplan/terminations/later_states.hpp"
#include "handles.hpp"
#include "limits.hpp"
#include "python_constraint.hpp"

namespace dynaplan::bindings {

// The entries of states (count, dim) from `first` on, copied.
template <class T>
py::array_t<T> later_entries(const T* states, IndexType count, IndexType dim, IndexType first) {
  py::array_t<T> later({count, dim - first});
  T* out = later.mutable_data();
  if (first == 0) {
    std::copy_n(states, count * dim, out);
    return later;
  }
  for (IndexType n = 0; n < count; ++n) out = std::copy(states + n * dim + first, states + (n + 1) * dim, out);
  return later;
}

// Calls a Python function, which it borrows, with whole trajectories; with the entries of the states from `first` on.
// Runs outside any parallel region, so its exception just passes.
template <class T>
class PythonScore final : public TrajectoryScore<T> {
 public:
  PythonScore(py::handle function, const Dynamics<T>& dynamics, IndexType first)
      : function_(function), state_dim_(dynamics.state_dim()), action_dim_(dynamics.action_dim()), first_(first) {}

  void score(const T* states, const T* actions, const T* steps_within_limit, IndexType count, IndexType horizon,
             T* totals, T* violations) const override {
    const py::gil_scoped_acquire acquire;
    const py::array_t<T> state_array = paths(states, count, horizon + 1);
    const py::array_t<T> action_array({count, horizon, action_dim_}, actions);
    py::object steps = py::none();
    if (steps_within_limit != nullptr) steps = py::array_t<T>(count, steps_within_limit);
    const py::tuple result = function_.attr("judge")(state_array, action_array, steps);
    const auto* values = input<double>(result[0].cast<py::array>(), "reward", {count});
    for (IndexType n = 0; n < count; ++n) totals[n] = static_cast<T>(values[n]);
    if (violations == nullptr) return;
    const auto* found = input<double>(result[1].cast<py::array>(), "violation", {count});
    for (IndexType n = 0; n < count; ++n) violations[n] = static_cast<T>(found[n]);
  }

  void reward(const T* states, const T* actions, IndexType count, T* rewards) const override {
    const py::gil_scoped_acquire acquire;
    const py::array_t<T> state_array = paths(states, count, 2);
    const py::array_t<T> action_array({count, IndexType{1}, action_dim_}, actions);
    const py::array result = function_.attr("rewards")(state_array, action_array);
    const auto* values = input<double>(result, "reward", {count});
    for (IndexType n = 0; n < count; ++n) rewards[n] = static_cast<T>(values[n]);
  }

  std::optional<IndexType> end(const T* states, const T* actions, IndexType horizon) const override {
    const py::gil_scoped_acquire acquire;
    const py::array_t<T> state_array = paths(states, 1, horizon + 1);
    const py::array_t<T> action_array({IndexType{1}, horizon, action_dim_}, actions);
    return function_.attr("end")(state_array, action_array).template cast<std::optional<IndexType>>();
  }

 private:
  py::array_t<T> paths(const T* states, IndexType count, IndexType steps) const {
    return later_entries(states, count * steps, state_dim_, first_).reshape({count, steps, state_dim_ - first_});
  }

  py::handle function_;
  IndexType state_dim_;
  IndexType action_dim_;
  IndexType first_;
};

// Likewise with the states where candidates end.
template <class T>
class PythonTerminalValue final : public TerminalValue<T> {
 public:
  PythonTerminalValue(py::handle function, IndexType state_dim, IndexType first)
      : function_(function), state_dim_(state_dim), first_(first) {}

  void value(const T* states, IndexType count, T* values) const override {
    const py::gil_scoped_acquire acquire;
    const py::array result = function_(later_entries(states, count, state_dim_, first_));
    const auto* found = input<double>(result, "terminal_value", {count});
    for (IndexType n = 0; n < count; ++n) values[n] = static_cast<T>(found[n]);
  }

 private:
  py::handle function_;
  IndexType state_dim_;
  IndexType first_;
};

// The memory of a planner, kept between calls. One plan at a time.
class PlanMemory {
 public:
  SamplingMemory sampling;
  TrajectoryMemory gradient;
  TrajectoryPlan trajectory;

  class Lease {
   public:
    explicit Lease(PlanMemory& memory) : memory_(memory) {
      if (memory.busy_.exchange(true)) {
        throw ValueError("memory: in use by another thread; give each thread its own MPC");
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

// The parts of a problem as Python gives them, each None where there is none.
struct PlanParts {
  py::object dynamics;
  py::object reward;
  py::object score;
  py::object terminal_value;
  py::object termination;
  py::tuple constraints;  // each compiled, or what `PythonConstraint` calls
  py::object delay;       // steps and fractions of each action, a pair of lists
};

// The C++ object that a part holds, or null for None.
template <class Part>
const Part* part_of(const py::object& object, const char* name) {
  if (object.is_none()) return nullptr;
  if (!py::isinstance<Part>(object)) {
    throw py::type_error(std::string(name) + ": got " + Py_TYPE(object.ptr())->tp_name + ", must be one of dynaplan's");
  }
  return &object.cast<const Part&>();
}

// What stays the same from plan to plan, in one precision. The parts are borrowed.
template <class T>
class BoundProblemOf {
 public:
  BoundProblemOf(const PlanParts& parts, const py::object& limits, const py::object& allowed,
                 const py::object& action_rate, const py::object& action_acceleration, double discount,
                 const Particles& particles, const DisagreementLimit* disagreement_limit)
      : limits_(limits_of<T>(limits)), allowed_(limits_of<T>(allowed)) {
    problem.rollout.dynamics = part_of<DynamicsHandle>(parts.dynamics, "dynamics")->template get<T>();
    if (!parts.delay.is_none()) delay_actions(parts.delay.cast<DelayParts>());
    if (const auto* reward = part_of<RewardHandle>(parts.reward, "reward")) {
      problem.rollout.reward = of_own_states(reward->template get<T>());
    }
    if (const auto* termination = part_of<TerminationHandle>(parts.termination, "termination")) {
      problem.rollout.termination = termination->template get<T>();
      if (delayed_) {
        termination_.emplace(*problem.rollout.termination, first());
        problem.rollout.termination = &*termination_;
      }
    }
    for (std::optional<StateLimits<T>>* one : {&limits_, &allowed_}) {
      if (*one) leave_queue_free(**one);
    }
    problem.rollout.limits = limits_ ? &*limits_ : nullptr;
    problem.rollout.allowed = allowed_ ? &*allowed_ : nullptr;
    for (const py::handle constraint : parts.constraints) add_constraint(constraint);
    problem.rollout.discount = static_cast<T>(discount);
    problem.rollout.particles = particles;
    if (disagreement_limit != nullptr) problem.rollout.disagreement_limit = *disagreement_limit;
    if (!parts.score.is_none()) {
      score_.emplace(parts.score, *problem.rollout.dynamics, first());
      problem.score = &*score_;
    }
    if (!parts.terminal_value.is_none()) {
      terminal_value_.emplace(parts.terminal_value, problem.rollout.dynamics->state_dim(), first());
      problem.terminal_value = &*terminal_value_;
    }
    if (!action_rate.is_none()) {
      action_rate_ = vector_input(py::cast<py::array>(action_rate), "limits.action_rate");
      problem.action_rate = action_rate_.data();
    }
    if (!action_acceleration.is_none()) {
      action_acceleration_ = vector_input(py::cast<py::array>(action_acceleration), "limits.action_acceleration");
      problem.action_acceleration = action_acceleration_.data();
    }
    problem.rollout.validate();
  }
  BoundProblemOf(const BoundProblemOf&) = delete;
  BoundProblemOf& operator=(const BoundProblemOf&) = delete;

  PlanProblemOf<T> problem;

 private:
  using DelayParts = std::pair<std::vector<IndexType>, std::vector<double>>;

  // Entries of the state before those of the model.
  IndexType first() const { return delayed_ ? delayed_->queue_dim() : 0; }

  void delay_actions(const DelayParts& delay) {
    delayed_.emplace(*problem.rollout.dynamics, ActionDelay{delay.first, delay.second});
    problem.rollout.dynamics = &*delayed_;
  }

  const Reward<T>* of_own_states(const Reward<T>* function) {
    if (!delayed_) return function;
    functions_.push_back(std::make_unique<const LaterStatesReward<T>>(*function, first()));
    return functions_.back().get();
  }

  void leave_queue_free(StateLimits<T>& limits) const {
    const T infinity = std::numeric_limits<T>::infinity();
    limits.low.insert(limits.low.begin(), static_cast<std::size_t>(first()), -infinity);
    limits.high.insert(limits.high.begin(), static_cast<std::size_t>(first()), infinity);
  }

  void add_constraint(py::handle constraint) {
    const Reward<T>* function = nullptr;
    if (py::isinstance<RewardHandle>(constraint)) {
      function = constraint.cast<const RewardHandle&>().template get<T>();
    } else {
      functions_.push_back(std::make_unique<const PythonConstraint<T>>(constraint));
      function = functions_.back().get();
    }
    problem.rollout.constraints.push_back(of_own_states(function));
  }

  std::optional<StateLimits<T>> limits_;
  std::optional<StateLimits<T>> allowed_;
  Eigen::VectorXd action_rate_;
  Eigen::VectorXd action_acceleration_;
  std::optional<DelayedDynamics<T>> delayed_;
  std::optional<LaterStatesTermination<T>> termination_;
  std::vector<std::unique_ptr<const Reward<T>>> functions_;
  std::optional<PythonScore<T>> score_;
  std::optional<PythonTerminalValue<T>> terminal_value_;
};

// The same for the planners that sample, in either type, and those that go by derivatives, in float64. Keeps the parts
// alive.
class BoundProblem {
 public:
  template <class... Arguments>
  explicit BoundProblem(PlanParts parts, const Arguments&... arguments)
      : parts_(std::move(parts)), single_(parts_, arguments...), exact_(parts_, arguments...) {
    sampled_in_float64_ = exact_.problem;
    // A planner that samples has no use for what the score pays too, one that wants derivatives has.
    if (exact_.problem.score != nullptr) {
      for_each_sampled([](auto& problem) {
        problem.rollout.reward = nullptr;
        problem.terminal_value = nullptr;
      });
    }
    make_cheaper(single_.problem, in_float32_);
    make_cheaper(sampled_in_float64_, in_float64_);
  }

  const PlanProblem& sampled() const { return single_.problem; }
  const ExactPlanProblem& sampled_in_float64() const { return sampled_in_float64_; }
  const ExactPlanProblem& exact() const { return exact_.problem; }
  // Whether Python is called while a plan is made, so that plans of several systems must take turns.
  bool calls_python() const { return sampled().score != nullptr || sampled().terminal_value != nullptr; }

  template <class Show>
  void visit(const Show& show) const {
    for (const py::object* part :
         {&parts_.dynamics, &parts_.reward, &parts_.score, &parts_.terminal_value, &parts_.termination}) {
      show(*part);
    }
    show(parts_.constraints);
  }

 private:
  template <class T>
  using LinearQuadratic = std::unique_ptr<const LinearQuadraticProblem<T>>;

  template <class Use>
  void for_each_sampled(const Use& use) {
    use(single_.problem);
    use(sampled_in_float64_);
  }

  template <class T>
  static void make_cheaper(PlanProblemOf<T>& problem, LinearQuadratic<T>& cheaper) {
    cheaper = LinearQuadraticProblem<T>::of(problem.rollout);
    if (cheaper) problem.rollout.cheaper = &cheaper->problem();
  }

  PlanParts parts_;
  BoundProblemOf<float> single_;
  BoundProblemOf<double> exact_;
  ExactPlanProblem sampled_in_float64_;
  LinearQuadratic<float> in_float32_;
  LinearQuadratic<double> in_float64_;
};

inline const char* name_of(PlanStatus status) {
  switch (status) {
    case PlanStatus::kIterations:
      return "iterations";
    case PlanStatus::kConverged:
      return "converged";
    case PlanStatus::kStalled:
      return "stalled";
    case PlanStatus::kTimeLimit:
      return "time_limit";
    case PlanStatus::kNoFiniteCandidate:
      break;
  }
  return "no_finite_candidate";
}

// What changes from call to call of one system; the arrays are borrowed for the call.
struct PlanInputs {
  const py::object& state;
  const py::object& low;
  const py::object& high;
  const py::object& step_low;  // None: as at all steps
  const py::object& step_high;
  const py::object& warm_start;
  const py::object& kept_sequences;
  const py::object& previous_action;
  const py::object& previous_change;
  IndexType skip;  // steps of the warm start and the kept_sequences that have passed

  template <class T>
  PlanProblemOf<T> into(PlanProblemOf<T> problem) const {
    const IndexType action_dim = problem.rollout.dynamics->action_dim();
    problem.state = optional_input<double>(state, "state", {problem.rollout.dynamics->state_dim()});
    problem.action_low = optional_input<double>(low, "action_space.low", {action_dim});
    problem.action_high = optional_input<double>(high, "action_space.high", {action_dim});
    problem.step_low = optional_input<double>(step_low, "limits.action_low", {-1, action_dim});
    problem.step_high = optional_input<double>(step_high, "limits.action_high", {-1, action_dim});
    problem.bound_steps = step_low.is_none() ? 0 : py::cast<py::array>(step_low).shape(0);
    problem.warm_start = earlier(warm_start, "warm_start", {-1, action_dim});
    problem.carried = earlier(kept_sequences, "kept_sequences", {-1, -1, action_dim});
    problem.last_action = optional_input<double>(previous_action, "previous_action", {action_dim});
    problem.last_change = optional_input<double>(previous_change, "previous_change", {action_dim});
    return problem;
  }

 private:
  EarlierSequences earlier(const py::object& object, const char* name, std::initializer_list<IndexType> shape) const {
    if (object.is_none()) return {};
    const auto array = py::cast<py::array>(object);
    const double* const actions = input<double>(array, name, shape);
    const py::ssize_t dims = array.ndim();
    if (array.size() == 0) return {};
    return {actions, dims == 3 ? array.shape(0) : 1, array.shape(dims - 2), skip};
  }
};

// A time_limit beyond a day is none: a time that far need not be one that the clock can tell.
inline std::optional<Clock::time_point> deadline_of(std::optional<double> time_limit) {
  if (!time_limit) return std::nullopt;
  require(*time_limit > 0.0, "time_limit", *time_limit, "above 0 seconds");
  if (*time_limit > 86400.0) return std::nullopt;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*time_limit));
}

}  // namespace dynaplan::bindings

#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/rollout/rollout.hpp"
#include "handles.hpp"
#include "limits.hpp"

namespace dynaplan::bindings {

namespace {

struct Randomness {
  std::uint64_t seed = 0;
  bool sample = false;
};

template <class T>
RolloutBatch<T> batch_of(const Dynamics<T>& dynamics, const py::array& states, const py::array& actions,
                         const Randomness& randomness, int threads) {
  RolloutBatch<T> batch;
  batch.states = input<T>(states, "states", {-1, dynamics.state_dim()});
  batch.actions = input<T>(actions, "actions", {-1, -1, dynamics.action_dim()});
  batch.count = actions.shape(0);
  batch.horizon = actions.shape(1);
  batch.one_state = states.shape(0) == 1;
  if (!batch.one_state) input<T>(states, "states", {batch.count, dynamics.state_dim()});
  batch.stream.seed = randomness.seed;
  batch.propagation = randomness.sample ? Propagation::kSample : Propagation::kMean;
  batch.threads = threads;
  return batch;
}

template <class T>
void rollout_into(const DynamicsHandle& dynamics, const py::array& states, const py::array& actions,
                  const TerminationHandle* termination, const py::object& limits, const Randomness& randomness,
                  int threads, py::array& out) {
  RolloutProblem<T> problem;
  problem.dynamics = dynamics.get<T>();
  if (termination != nullptr) problem.termination = termination->get<T>();
  const std::optional<StateLimits<T>> bounds = limits_of<T>(limits);
  problem.limits = bounds ? &*bounds : nullptr;
  RolloutBatch<T> batch = batch_of<T>(*problem.dynamics, states, actions, randomness, threads);
  input<T>(out, "out", {batch.count, batch.horizon + 1, problem.dynamics->state_dim()});
  batch.trajectories = static_cast<T*>(out.mutable_data());
  const py::gil_scoped_release release;
  rollout(problem, batch);
}

template <class T>
py::array_t<T> returns_of(const DynamicsHandle& dynamics, const RewardHandle& reward, const py::array& states,
                          const py::array& actions, const py::object& previous_action,
                          const TerminationHandle* termination, const py::object& limits, double discount,
                          const Randomness& randomness, int threads) {
  RolloutProblem<T> problem;
  problem.dynamics = dynamics.get<T>();
  problem.reward = reward.get<T>();
  if (termination != nullptr) problem.termination = termination->get<T>();
  const std::optional<StateLimits<T>> bounds = limits_of<T>(limits);
  problem.limits = bounds ? &*bounds : nullptr;
  problem.discount = static_cast<T>(discount);
  RolloutBatch<T> batch = batch_of<T>(*problem.dynamics, states, actions, randomness, threads);
  batch.last_action = optional_input<T>(previous_action, "previous_action", {problem.dynamics->action_dim()});
  py::array_t<T> totals(batch.count);
  batch.totals = totals.mutable_data();
  {
    const py::gil_scoped_release release;
    rollout(problem, batch);
  }
  return totals;
}

bool is_float32(const py::array& array) { return py::isinstance<py::array_t<float>>(array); }

}  // namespace

void bind_rollout(py::module_& m) {
  m.def(
      "rollout",
      [](const DynamicsHandle& dynamics, const py::array& states, const py::array& actions,
         const TerminationHandle* termination, const py::object& limits, bool sample, std::uint64_t seed, int threads,
         py::array& out) {
        const auto run = is_float32(actions) ? &rollout_into<float> : &rollout_into<double>;
        run(dynamics, states, actions, termination, limits, {seed, sample}, threads, out);
      },
      py::arg("dynamics"), py::arg("states"), py::arg("actions"), py::arg("termination").none(true),
      py::arg("limits").none(true), py::arg("sample"), py::arg("seed"), py::arg("threads"), py::arg("out"));
  m.def(
      "returns",
      [](const DynamicsHandle& dynamics, const RewardHandle& reward, const py::array& states, const py::array& actions,
         const py::object& previous_action, const TerminationHandle* termination, const py::object& limits,
         double discount, bool sample, std::uint64_t seed, int threads) -> py::array {
        const Randomness randomness{seed, sample};
        if (is_float32(actions)) {
          return returns_of<float>(dynamics, reward, states, actions, previous_action, termination, limits, discount,
                                   randomness, threads);
        }
        return returns_of<double>(dynamics, reward, states, actions, previous_action, termination, limits, discount,
                                  randomness, threads);
      },
      py::arg("dynamics"), py::arg("reward"), py::arg("states"), py::arg("actions"), py::arg("previous_action"),
      py::arg("termination").none(true), py::arg("limits").none(true), py::arg("discount"), py::arg("sample"),
      py::arg("seed"), py::arg("threads"));
}

}  // namespace dynaplan::bindings

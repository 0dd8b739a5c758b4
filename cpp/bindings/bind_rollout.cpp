#include <algorithm>
#include <optional>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/models/network_prediction.hpp"
#include "dynaplan/rollout/rollout.hpp"
#include "handles.hpp"
#include "interrupt.hpp"
#include "limits.hpp"
#include "query.hpp"

namespace dynaplan::bindings {

namespace {

// What a rollout is made of, as Python gives it; both entry points read it alike.
struct RolloutInputs {
  const DynamicsHandle& dynamics;
  const TerminationHandle* termination;
  const py::object& limits;
  const Particles& particles;
  const DisagreementLimit* disagreement_limit;

  template <class T>
  RolloutProblem<T> problem(const std::optional<StateLimits<T>>& bounds) const {
    RolloutProblem<T> problem;
    problem.dynamics = dynamics.get<T>();
    if (termination != nullptr) problem.termination = termination->get<T>();
    problem.limits = bounds ? &*bounds : nullptr;
    problem.particles = particles;
    if (disagreement_limit != nullptr) problem.disagreement_limit = *disagreement_limit;
    return problem;
  }
};

template <class T>
RolloutBatch<T> batch_of(const Dynamics<T>& dynamics, const py::array& states, const py::array& actions,
                         std::uint64_t seed, int threads) {
  RolloutBatch<T> batch;
  batch.states = input<T>(states, "states", {-1, dynamics.state_dim()});
  batch.actions = input<T>(actions, "actions", {-1, -1, dynamics.action_dim()});
  batch.count = actions.shape(0);
  batch.horizon = actions.shape(1);
  batch.one_state = states.shape(0) == 1;
  if (!batch.one_state) input<T>(states, "states", {batch.count, dynamics.state_dim()});
  batch.stream.seed = seed;
  batch.threads = threads;
  return batch;
}

// Writes the trajectories to `out`; returns the steps within the disagreement limit (N, P), or None without one.
template <class T>
py::object rollout_into(const RolloutInputs& inputs, const py::array& states, const py::array& actions,
                        std::uint64_t seed, int threads, py::array& out) {
  const std::optional<StateLimits<T>> bounds = limits_of<T>(inputs.limits);
  const RolloutProblem<T> problem = inputs.problem<T>(bounds);
  RolloutBatch<T> batch = batch_of<T>(*problem.dynamics, states, actions, seed, threads);
  const IndexType particles = inputs.particles.count;
  input<T>(out, "out", {batch.count, particles, batch.horizon + 1, problem.dynamics->state_dim()});
  batch.trajectories = static_cast<T*>(out.mutable_data());
  py::object steps_within_limit = py::none();
  if (problem.disagreement_limit) {
    py::array_t<T> steps({batch.count, particles});
    batch.steps_within_limit = steps.mutable_data();
    steps_within_limit = std::move(steps);
  }
  const PythonInterrupt interrupt;
  batch.interrupt = &interrupt;
  {
    const py::gil_scoped_release release;
    rollout(problem, batch);
  }
  return steps_within_limit;
}

template <class T>
py::array_t<T> returns_of(const RolloutInputs& inputs, const RewardHandle& reward, const py::array& states,
                          const py::array& actions, const py::object& previous_action, double discount,
                          std::uint64_t seed, int threads) {
  const std::optional<StateLimits<T>> bounds = limits_of<T>(inputs.limits);
  RolloutProblem<T> problem = inputs.problem<T>(bounds);
  problem.reward = reward.get<T>();
  problem.discount = static_cast<T>(discount);
  RolloutBatch<T> batch = batch_of<T>(*problem.dynamics, states, actions, seed, threads);
  batch.last_action = optional_input<T>(previous_action, "previous_action", {problem.dynamics->action_dim()});
  py::array_t<T> totals(batch.count);
  batch.totals = totals.mutable_data();
  const PythonInterrupt interrupt;
  batch.interrupt = &interrupt;
  {
    const py::gil_scoped_release release;
    rollout(problem, batch);
  }
  return totals;
}

// One number of each row of returns (N, P).
py::array_t<double> reduce_rows(const DynamicsHandle& dynamics, const Particles& particles, const py::array& returns) {
  const auto* values = input<double>(returns, "returns", {-1, particles.count});
  const IndexType members = dynamics.float64->members();
  particles.require_members(members);
  py::array_t<double> reduced(returns.shape(0));
  std::vector<double> row(static_cast<std::size_t>(particles.count));
  for (IndexType n = 0; n < returns.shape(0); ++n) {
    std::copy_n(values + n * particles.count, particles.count, row.begin());
    reduced.mutable_at(n) = reduce(particles.risk, members, row.data(), particles.count);
  }
  return reduced;
}

py::array_t<double> disagreement_of(const DynamicsHandle& dynamics, const py::array& states, const py::array& actions,
                                    int threads) {
  const Dynamics<double>& model = *dynamics.float64;
  const PythonInterrupt interrupt;
  const StepQuery query = query_of(states, actions, model.state_dim(), model.action_dim(), threads, interrupt);
  py::array_t<double> out(query.count);
  double* const values = out.mutable_data();
  {
    const py::gil_scoped_release release;
    disagreement(model, query, values);
  }
  return out;
}

bool is_float32(const py::array& array) { return py::isinstance<py::array_t<float>>(array); }

}  // namespace

void bind_rollout(py::module_& m) {
  py::class_<Particles>(m, "Particles", py::module_local())
      .def(
          py::init([](const std::string& propagation, IndexType count, const std::string& reduction, double parameter) {
            const Particles particles{propagation_of(propagation), count, {reduction_of(reduction), parameter}};
            particles.validate();
            return particles;
          }),
          py::arg("propagation"), py::arg("count"), py::arg("reduction"), py::arg("parameter"));
  py::class_<DisagreementLimit>(m, "DisagreementLimit", py::module_local())
      .def(py::init([](double limit, bool rejects) {
             const DisagreementLimit ground{limit, rejects ? OnExceeding::kReject : OnExceeding::kStop};
             ground.validate();
             return ground;
           }),
           py::arg("limit"), py::arg("rejects"));
  m.def("disagreement", &disagreement_of, py::arg("dynamics"), py::arg("states"), py::arg("actions"),
        py::arg("threads"));
  m.def("reduce", &reduce_rows, py::arg("dynamics"), py::arg("particles"), py::arg("returns"));
  m.def(
      "rollout",
      [](const DynamicsHandle& dynamics, const py::array& states, const py::array& actions,
         const TerminationHandle* termination, const py::object& limits, const Particles& particles,
         const DisagreementLimit* disagreement_limit, std::uint64_t seed, int threads, py::array& out) {
        const auto run = is_float32(actions) ? &rollout_into<float> : &rollout_into<double>;
        return run({dynamics, termination, limits, particles, disagreement_limit}, states, actions, seed, threads, out);
      },
      py::arg("dynamics"), py::arg("states"), py::arg("actions"), py::arg("termination").none(true),
      py::arg("limits").none(true), py::arg("particles"), py::arg("disagreement_limit").none(true), py::arg("seed"),
      py::arg("threads"), py::arg("out"));
  m.def(
      "returns",
      [](const DynamicsHandle& dynamics, const RewardHandle& reward, const py::array& states, const py::array& actions,
         const py::object& previous_action, const TerminationHandle* termination, const py::object& limits,
         double discount, const Particles& particles, const DisagreementLimit* disagreement_limit, std::uint64_t seed,
         int threads) -> py::array {
        const RolloutInputs inputs{dynamics, termination, limits, particles, disagreement_limit};
        if (is_float32(actions)) {
          return returns_of<float>(inputs, reward, states, actions, previous_action, discount, seed, threads);
        }
        return returns_of<double>(inputs, reward, states, actions, previous_action, discount, seed, threads);
      },
      py::arg("dynamics"), py::arg("reward"), py::arg("states"), py::arg("actions"), py::arg("previous_action"),
      py::arg("termination").none(true), py::arg("limits").none(true), py::arg("discount"), py::arg("particles"),
      py::arg("disagreement_limit").none(true), py::arg("seed"), py::arg("threads"));
}

}  // namespace dynaplan::bindings

#include "dynaplan/rollout/imagination.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "handles.hpp"
#include "interrupt.hpp"
#include "limits.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan::bindings {

namespace {

// An array that Python owns: a function may keep what it is given.
py::array_t<double> copied(const double* values, IndexType count, IndexType dim) {
  return py::array_t<double>({count, dim}, values);
}

class PythonPolicy final : public BatchPolicy {
 public:
  PythonPolicy(py::object function, IndexType state_dim, IndexType action_dim)
      : function_(std::move(function)), state_dim_(state_dim), action_dim_(action_dim) {}

  void act(const double* states, IndexType count, double* actions) const override {
    const py::gil_scoped_acquire acquire;
    const py::array result = function_(copied(states, count, state_dim_));
    std::copy_n(input<double>(result, "policy", {count, action_dim_}), count * action_dim_, actions);
  }

 private:
  py::object function_;
  IndexType state_dim_;
  IndexType action_dim_;
};

class PythonTermination final : public BatchTermination {
 public:
  PythonTermination(py::object function, IndexType state_dim, IndexType action_dim)
      : function_(std::move(function)), state_dim_(state_dim), action_dim_(action_dim) {}

  void end(const double* states, const double* actions, const double* next_states, IndexType count,
           bool* ended) const override {
    const py::gil_scoped_acquire acquire;
    const py::array result = function_(copied(states, count, state_dim_), copied(actions, count, action_dim_),
                                       copied(next_states, count, state_dim_));
    std::copy_n(input<bool>(result, "termination", {count}), count, ended);
  }

 private:
  py::object function_;
  IndexType state_dim_;
  IndexType action_dim_;
};

// The parts of a problem that it has in each type; the others are left alone.
template <class T>
void take_parts(const DynamicsHandle& dynamics, const RewardHandle* reward, const TerminationHandle* termination,
                const std::optional<StateLimits<T>>& limits, ImaginationProblemOf<T>& problem) {
  problem.dynamics = dynamics.get<T>();
  if (reward != nullptr) problem.reward = reward->get<T>();
  if (termination != nullptr) problem.termination = termination->get<T>();
  problem.limits = limits ? &*limits : nullptr;
}

// Either what the core runs or a Python function, of which it is given one or none; without a policy, the actions.
struct Choice {
  const PolicyHandle* policy;
  const py::object& policy_function;
  const py::object& actions;
  const py::object& previous_actions;
  const TerminationHandle* termination;
  const py::object& termination_function;
};

py::tuple imagine_rows(const DynamicsHandle& dynamics, const py::array& starts, const Choice& choice,
                       const RewardHandle* reward, const py::object& limits, std::vector<IndexType> elite_members,
                       std::optional<double> disagreement_limit, IndexType length, std::uint64_t seed, int threads) {
  const IndexType state_dim = dynamics.float32->state_dim();
  const IndexType action_dim = dynamics.float32->action_dim();
  const std::optional<StateLimits<float>> bounds = limits_of<float>(limits);
  const std::optional<StateLimits<double>> exact_bounds = limits_of<double>(limits);
  const PythonPolicy policy_function(choice.policy_function, state_dim, action_dim);
  const PythonTermination termination_function(choice.termination_function, state_dim, action_dim);
  ImaginationProblem problem;
  take_parts(dynamics, reward, choice.termination, bounds, problem);
  problem.elite_members = std::move(elite_members);
  if (choice.policy != nullptr) problem.policy = choice.policy->policy.get();
  if (!choice.policy_function.is_none()) problem.batch_policy = &policy_function;
  if (!choice.termination_function.is_none()) problem.batch_termination = &termination_function;
  problem.disagreement_limit = disagreement_limit;
  problem.validate();
  ExactImaginationProblem exact;
  take_parts(dynamics, reward, choice.termination, exact_bounds, exact);
  exact.elite_members = problem.elite_members;
  exact.policy = problem.policy;
  exact.batch_policy = problem.batch_policy;
  exact.batch_termination = problem.batch_termination;
  exact.disagreement_limit = disagreement_limit;

  ImaginedRows rows;
  rows.starts = input<double>(starts, "starts", {-1, state_dim});
  rows.count = starts.shape(0);
  rows.length = length;
  require_at_least("length", length, 1);
  require_addressable("starts, length", {rows.count, length, std::max(state_dim, action_dim)});
  const IndexType size = rows.count * length;
  rows.given_actions = optional_input<double>(choice.actions, "actions", {size, action_dim});
  rows.previous_actions = optional_input<double>(choice.previous_actions, "previous_actions", {rows.count, action_dim});
  py::array_t<double> states({size, state_dim});
  py::array_t<double> actions({size, action_dim});
  py::array_t<double> rewards(reward != nullptr ? size : 0);
  py::array_t<double> next_states({size, state_dim});
  py::array_t<bool> terminated(size);
  py::array_t<std::int64_t> steps(rows.count);
  py::array_t<bool> cut(rows.count);
  rows.states = states.mutable_data();
  rows.actions = actions.mutable_data();
  rows.rewards = rewards.mutable_data();
  rows.next_states = next_states.mutable_data();
  rows.terminated = terminated.mutable_data();
  rows.steps = steps.mutable_data();
  rows.cut = cut.mutable_data();
  rows.seed = seed;
  rows.threads = threads;
  const PythonInterrupt interrupt;
  rows.interrupt = &interrupt;
  {
    const py::gil_scoped_release release;
    imagine_at_needed_precision(problem, exact, rows);
  }
  return py::make_tuple(states, actions, rewards, next_states, terminated, steps, cut);
}

}  // namespace

void bind_imagination(py::module_& m) {
  py::class_<PolicyHandle>(m, "Policy", py::module_local());
  m.def(
      "imagine",
      [](const DynamicsHandle& dynamics, const py::array& starts, const PolicyHandle* policy,
         const py::object& policy_function, const RewardHandle* reward, const TerminationHandle* termination,
         const py::object& termination_function, const py::object& limits, std::vector<IndexType> elite_members,
         std::optional<double> disagreement_limit, IndexType length, std::uint64_t seed, int threads,
         const py::object& actions, const py::object& previous_actions) {
        const Choice choice{policy, policy_function, actions, previous_actions, termination, termination_function};
        return imagine_rows(dynamics, starts, choice, reward, limits, std::move(elite_members), disagreement_limit,
                            length, seed, threads);
      },
      py::kw_only(), py::arg("dynamics"), py::arg("starts"), py::arg("policy").none(true), py::arg("policy_function"),
      py::arg("reward").none(true), py::arg("termination").none(true), py::arg("termination_function"),
      py::arg("limits"), py::arg("elite_members"), py::arg("disagreement_limit"), py::arg("length"), py::arg("seed"),
      py::arg("threads"), py::arg("actions") = py::none(), py::arg("previous_actions") = py::none());
}

}  // namespace dynaplan::bindings

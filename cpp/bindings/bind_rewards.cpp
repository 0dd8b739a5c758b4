#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/rewards/action.hpp"
#include "dynaplan/rewards/angle.hpp"
#include "dynaplan/rewards/predicted.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/sum.hpp"
#include "dynaplan/rollout/score_steps.hpp"
#include "handles.hpp"

namespace dynaplan::bindings {

namespace {

template <template <class> class Term, class... Arguments>
RewardHandle both(const Arguments&... arguments) {
  return {std::make_shared<const Term<float>>(arguments...), std::make_shared<const Term<double>>(arguments...)};
}

At at_of(bool of_next) { return of_next ? At::kNextState : At::kState; }

RewardHandle angle_of_index(double weight, IndexType index, double target, bool of_next) {
  return both<AngleReward>(AngleSource{index, -1}, weight, target, at_of(of_next));
}

RewardHandle angle_of_cosine_sine(double weight, IndexType cosine, IndexType sine, double target, bool of_next) {
  return both<AngleReward>(AngleSource{cosine, sine}, weight, target, at_of(of_next));
}

RewardHandle sum(const py::list& terms) {
  std::vector<std::shared_ptr<const Reward<float>>> float32;
  std::vector<std::shared_ptr<const Reward<double>>> float64;
  for (const py::handle term : terms) {
    const auto& handle = term.cast<const RewardHandle&>();
    float32.push_back(handle.float32);
    float64.push_back(handle.float64);
  }
  return {std::make_shared<const SumReward<float>>(std::move(float32)),
          std::make_shared<const SumReward<double>>(std::move(float64))};
}

py::array_t<double> score(const RewardHandle& reward, const py::array& states, const py::array& actions,
                          const py::array& next_states, const py::object& previous_actions) {
  StepBatch batch;
  batch.states = input<double>(states, "states", {-1, -1});
  batch.actions = input<double>(actions, "actions", {states.shape(0), -1});
  batch.next_states = input<double>(next_states, "next_states", {states.shape(0), states.shape(1)});
  batch.previous_actions =
      optional_input<double>(previous_actions, "previous_actions", {actions.shape(0), actions.shape(1)});
  batch.count = states.shape(0);
  batch.state_dim = states.shape(1);
  batch.action_dim = actions.shape(1);
  py::array_t<double> rewards(batch.count);
  score_steps(*reward.float64, batch, rewards.mutable_data());
  return rewards;
}

}  // namespace

void bind_rewards(py::module_& m) {
  py::class_<RewardHandle>(m, "Reward", py::module_local())
      .def("score", &score, py::arg("states"), py::arg("actions"), py::arg("next_states"),
           py::arg("previous_actions") = py::none());
  m.def(
      "quadratic_reward",
      [](const py::array& weights, const py::array& target, bool of_next) {
        return both<QuadraticReward>(matrix_input(weights, "weights"), vector_input(target, "target"), at_of(of_next));
      },
      py::arg("weights"), py::arg("target"), py::arg("of_next"));
  m.def("angle_reward", &angle_of_index, py::arg("weight"), py::arg("index"), py::arg("target"), py::arg("of_next"));
  m.def("direction_reward", &angle_of_cosine_sine, py::arg("weight"), py::arg("cosine"), py::arg("sine"),
        py::arg("target"), py::arg("of_next"));
  m.def(
      "action_cost",
      [](const py::array& weights, const py::array& low, const py::array& high) {
        return both<ActionCost>(matrix_input(weights, "weights"), vector_input(low, "low"), vector_input(high, "high"));
      },
      py::arg("weights"), py::arg("low"), py::arg("high"));
  m.def(
      "action_change_cost",
      [](const py::array& weights) { return both<ActionChangeCost>(matrix_input(weights, "weights")); },
      py::arg("weights"));
  m.def("predicted_reward", &both<PredictedReward>);
  m.def("sum_reward", &sum, py::arg("terms"));
}

}  // namespace dynaplan::bindings

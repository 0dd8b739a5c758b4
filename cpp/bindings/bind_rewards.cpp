#include <pybind11/stl.h>

#include <string>
#include <type_traits>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/rewards/acrobot.hpp"
#include "dynaplan/rewards/action.hpp"
#include "dynaplan/rewards/angle.hpp"
#include "dynaplan/rewards/ball_clearance.hpp"
#include "dynaplan/rewards/box_clearance.hpp"
#include "dynaplan/rewards/distance.hpp"
#include "dynaplan/rewards/double_pendulum.hpp"
#include "dynaplan/rewards/excess.hpp"
#include "dynaplan/rewards/inside.hpp"
#include "dynaplan/rewards/linear.hpp"
#include "dynaplan/rewards/path.hpp"
#include "dynaplan/rewards/path_clearance.hpp"
#include "dynaplan/rewards/predicted.hpp"
#include "dynaplan/rewards/product.hpp"
#include "dynaplan/rewards/quadratic.hpp"
#include "dynaplan/rewards/scheduled.hpp"
#include "dynaplan/rewards/sum.hpp"
#include "dynaplan/rewards/tolerance.hpp"
#include "garbage.hpp"
#include "handles.hpp"
#include "interrupt.hpp"
#include "steps.hpp"

namespace dynaplan::bindings {

namespace {

template <template <class> class Term, class... Arguments>
RewardHandle both(const Arguments&... arguments) {
  return {std::make_shared<const Term<float>>(arguments...), std::make_shared<const Term<double>>(arguments...)};
}

At at_of(bool of_next) { return of_next ? At::kNextState : At::kState; }

// A row a step in Python, a column a step in the core.
Eigen::MatrixXd targets_of(const py::array& target) { return matrix_input(target, "target").transpose(); }

RewardHandle angle_of_index(double weight, IndexType index, const py::array& target, bool of_next) {
  return both<AngleReward>(AngleSource{index, -1}, weight, targets_of(target), at_of(of_next));
}

RewardHandle angle_of_cosine_sine(double weight, IndexType cosine, IndexType sine, const py::array& target,
                                  bool of_next) {
  return both<AngleReward>(AngleSource{cosine, sine}, weight, targets_of(target), at_of(of_next));
}

template <class T>
std::vector<std::shared_ptr<const Reward<T>>> terms_of(const py::list& handles) {
  std::vector<std::shared_ptr<const Reward<T>>> terms;
  for (const py::handle handle : handles) {
    const auto& reward = handle.cast<const RewardHandle&>();
    if constexpr (std::is_same_v<T, float>) {
      terms.push_back(reward.float32);
    } else {
      terms.push_back(reward.float64);
    }
  }
  return terms;
}

// What a reward made of others must keep alive: what they do.
py::tuple owned_by(const py::list& handles) {
  py::tuple owned(handles.size());
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const py::object& part = handles[i].cast<const RewardHandle&>().owned;
    owned[i] = part ? part : py::none();
  }
  return owned;
}

RewardHandle sum(const py::list& terms) {
  return {std::make_shared<const SumReward<float>>(terms_of<float>(terms)),
          std::make_shared<const SumReward<double>>(terms_of<double>(terms)), owned_by(terms)};
}

RewardHandle product(const py::list& factors, double weight) {
  return {std::make_shared<const ProductReward<float>>(terms_of<float>(factors), weight),
          std::make_shared<const ProductReward<double>>(terms_of<double>(factors), weight), owned_by(factors)};
}

DistanceEntries entries_of(const std::vector<IndexType>& from, const std::vector<IndexType>& to,
                           const py::array& target) {
  return {from, to, targets_of(target)};
}

RewardHandle tolerance(IndexType index, const std::string& of, double low, double high, double margin,
                       double value_at_margin, bool quadratic) {
  const From from_state = of == "state" ? From::kState : From::kNextState;
  const From from = of == "action" ? From::kAction : from_state;
  const Falloff falloff = quadratic ? Falloff::kQuadratic : Falloff::kGaussian;
  return both<ToleranceReward>(index, from, ToleranceSettings{low, high, margin, value_at_margin, falloff});
}

py::array_t<double> score(const RewardHandle& reward, const py::array& states, const py::array& actions,
                          const py::array& next_states, const py::object& previous_actions, const py::object& steps,
                          IndexType horizon) {
  StepBatch batch = steps_of(states, actions, next_states, steps);
  batch.horizon = horizon;
  batch.previous_actions =
      optional_input<double>(previous_actions, "previous_actions", {actions.shape(0), actions.shape(1)});
  const PythonInterrupt interrupt;
  batch.interrupt = &interrupt;
  py::array_t<double> rewards(batch.count);
  score_steps(*reward.float64, batch, rewards.mutable_data());
  return rewards;
}

// Terms that are costs.
void bind_costs(py::module_& m) {
  m.def(
      "quadratic_reward",
      [](const py::array& weights, const py::array& target, bool of_next) {
        return both<QuadraticReward>(matrix_input(weights, "weights"), targets_of(target), at_of(of_next));
      },
      py::arg("weights"), py::arg("target"), py::arg("of_next"));
  m.def("angle_reward", &angle_of_index, py::arg("weight"), py::arg("index"), py::arg("target"), py::arg("of_next"));
  m.def("direction_reward", &angle_of_cosine_sine, py::arg("weight"), py::arg("cosine"), py::arg("sine"),
        py::arg("target"), py::arg("of_next"));
  m.def(
      "action_cost",
      [](const py::array& weights, const py::array& target, const py::array& low, const py::array& high) {
        return both<ActionCost>(matrix_input(weights, "weights"), targets_of(target), vector_input(low, "low"),
                                vector_input(high, "high"));
      },
      py::arg("weights"), py::arg("target"), py::arg("low"), py::arg("high"));
  m.def(
      "action_change_cost",
      [](const py::array& weights) { return both<ActionChangeCost>(matrix_input(weights, "weights")); },
      py::arg("weights"));
  m.def(
      "distance_reward",
      [](const std::vector<IndexType>& from, const std::vector<IndexType>& to, const py::array& target, double weight,
         bool of_next) { return both<DistanceReward>(entries_of(from, to, target), weight, at_of(of_next)); },
      py::arg("indices"), py::arg("to"), py::arg("target"), py::arg("weight"), py::arg("of_next"));
}

// Terms that may be above 0.
void bind_gains(py::module_& m) {
  m.def(
      "linear_reward",
      [](const py::array& weights, double offset, bool of_next) {
        return both<LinearReward>(vector_input(weights, "weights"), offset, at_of(of_next));
      },
      py::arg("weights"), py::arg("offset"), py::arg("of_next"));
  m.def(
      "change_reward", [](IndexType index, double weight) { return both<ChangeReward>(index, weight); },
      py::arg("index"), py::arg("weight"));
  m.def(
      "excess_cost",
      [](const py::array& weights, const py::array& low, const py::array& high, bool of_next) {
        return both<ExcessCost>(vector_input(weights, "weights"), vector_input(low, "low"), vector_input(high, "high"),
                                at_of(of_next));
      },
      py::arg("weights"), py::arg("low"), py::arg("high"), py::arg("of_next"));
  m.def(
      "inside_reward",
      [](const py::array& low, const py::array& high, double bonus, bool of_next) {
        return both<InsideReward>(vector_input(low, "low"), vector_input(high, "high"), bonus, at_of(of_next));
      },
      py::arg("low"), py::arg("high"), py::arg("bonus"), py::arg("of_next"));
  m.def(
      "within_reward",
      [](const std::vector<IndexType>& from, const std::vector<IndexType>& to, const py::array& target, double radius,
         double bonus,
         bool of_next) { return both<WithinReward>(entries_of(from, to, target), radius, bonus, at_of(of_next)); },
      py::arg("indices"), py::arg("to"), py::arg("target"), py::arg("radius"), py::arg("bonus"), py::arg("of_next"));
  m.def("tolerance_reward", &tolerance, py::arg("index"), py::arg("of"), py::arg("low"), py::arg("high"),
        py::arg("margin"), py::arg("value_at_margin"), py::arg("quadratic"));
  m.def(
      "double_pendulum_reward", [](double healthy_reward) { return both<DoublePendulumReward>(healthy_reward); },
      py::arg("healthy_reward"));
  m.def("acrobot_reward", [] { return both<AcrobotReward>(); });
}

EntryPath path_of(const std::vector<IndexType>& indices, const py::array& path) {
  return {indices, matrix_input(path, "path").transpose()};
}

void bind_paths(py::module_& m) {
  m.def(
      "path_error",
      [](const std::vector<IndexType>& indices, const py::array& path, double weight, bool of_next) {
        return both<PathError>(path_of(indices, path), weight, at_of(of_next));
      },
      py::arg("indices"), py::arg("path"), py::arg("weight"), py::arg("of_next"));
  m.def(
      "path_progress",
      [](const std::vector<IndexType>& indices, const py::array& path, double weight) {
        return both<PathProgress>(path_of(indices, path), weight);
      },
      py::arg("indices"), py::arg("path"), py::arg("weight"));
}

// Functions that are above 0 where a point is on the wrong side of a shape.
void bind_clearances(py::module_& m) {
  m.def(
      "ball_clearance",
      [](const std::vector<IndexType>& from, const std::vector<IndexType>& to, const py::array& centre, double radius,
         bool outside, double margin, bool of_next) {
        return both<BallClearance>(entries_of(from, to, centre), radius, Clearance{outside, margin}, at_of(of_next));
      },
      py::arg("indices"), py::arg("to"), py::arg("centre"), py::arg("radius"), py::arg("outside"), py::arg("margin"),
      py::arg("of_next"));
  m.def(
      "box_clearance",
      [](const std::vector<IndexType>& indices, const py::array& low, const py::array& high, bool outside,
         double margin, bool of_next) {
        return both<BoxClearance>(EntryBox{indices, targets_of(low), targets_of(high)}, Clearance{outside, margin},
                                  at_of(of_next));
      },
      py::arg("indices"), py::arg("low"), py::arg("high"), py::arg("outside"), py::arg("margin"), py::arg("of_next"));
  m.def(
      "path_clearance",
      [](const std::vector<IndexType>& indices, const py::array& path, double radius, bool outside, double margin,
         bool of_next) {
        return both<PathClearance>(path_of(indices, path), radius, Clearance{outside, margin}, at_of(of_next));
      },
      py::arg("indices"), py::arg("path"), py::arg("radius"), py::arg("outside"), py::arg("margin"),
      py::arg("of_next"));
}

}  // namespace

void bind_rewards(py::module_& m) {
  py::class_<RewardHandle>(m, "Reward", py::module_local(), collected<RewardHandle>())
      .def("score", &score, py::arg("states"), py::arg("actions"), py::arg("next_states"),
           py::arg("previous_actions") = py::none(), py::arg("steps") = py::none(), py::arg("horizon") = 0);
  bind_costs(m);
  bind_gains(m);
  bind_paths(m);
  bind_clearances(m);
  m.def("predicted_reward", &both<PredictedReward>);
  m.def("sum_reward", &sum, py::arg("terms"));
  m.def(
      "scheduled_reward",
      [](const RewardHandle& term, const py::array& weights) {
        const Eigen::VectorXd of_steps = vector_input(weights, "weights");
        return RewardHandle{std::make_shared<const ScheduledReward<float>>(term.float32, of_steps),
                            std::make_shared<const ScheduledReward<double>>(term.float64, of_steps), term.owned};
      },
      py::arg("term"), py::arg("weights"));
  m.def(
      "terminal_reward",
      [](const RewardHandle& term) {
        return RewardHandle{std::make_shared<const TerminalReward<float>>(term.float32),
                            std::make_shared<const TerminalReward<double>>(term.float64), term.owned};
      },
      py::arg("term"));
  m.def("product_reward", &product, py::arg("factors"), py::arg("weight"));
}

}  // namespace dynaplan::bindings

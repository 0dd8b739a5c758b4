#include "dynaplan/planners/categorical_cem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The initial probability of the choice that the previous plan made at a warm-started step.
constexpr double kWarmProbability = 0.5;

template <class T>
Index nearest(const ChoicesOf<T>& choices, const T* action) {
  Index best = 0;
  T min_distance = std::numeric_limits<T>::infinity();
  for (Index c = 0; c < choices.rows(); ++c) {
    T distance = T(0);
    for (Index i = 0; i < choices.cols(); ++i) {
      const T difference = action[i] - choices(c, i);
      distance += difference * difference;
    }
    if (distance < min_distance) {
      min_distance = distance;
      best = c;
    }
  }
  return best;
}

template <class T>
class CategoricalSearch final : public Search<T> {
 public:
  CategoricalSearch(const CategoricalCemSettings& settings, const ChoicesOf<T>& choices,
                    const PlanProblemOf<T>& problem, SearchMemory<T>& memory)
      : settings_(settings),
        choices_(choices),
        problem_(problem),
        memory_(memory),
        count_(choices.rows()),
        floor_(static_cast<T>(settings.min_probability) / static_cast<T>(choices.rows())) {
    memory.probabilities.assign(static_cast<std::size_t>(settings.horizon * count_), T(1) / static_cast<T>(count_));
    memory.frequencies.resize(static_cast<std::size_t>(count_));
    if (problem.warm_start.actions == nullptr || count_ == 1) return;
    std::vector<T>& start = memory.best;
    start.resize(static_cast<std::size_t>(choices.cols()));
    for (Index t = 0; t < settings.horizon; ++t) {
      T* const row = probabilities(t);
      std::fill_n(row, count_, static_cast<T>(1.0 - kWarmProbability) / static_cast<T>(count_ - 1));
      for (Index i = 0; i < choices.cols(); ++i) {
        start[static_cast<std::size_t>(i)] = static_cast<T>(problem.start_action(t * choices.cols() + i));
      }
      row[nearest(choices_, start.data())] = static_cast<T>(kWarmProbability);
    }
  }

  Index population(int /*iteration*/) const override { return settings_.candidates; }

  // Candidate 0 is the most probable sequence: the plan of the last call is never worse off for being refined.
  void draw(int iteration, Index first, Block<T> actions, Workspace& workspace) const override {
    Stream stream = problem_.stream;
    stream.iteration = static_cast<std::uint32_t>(iteration);
    const Block<T> uniform = workspace.take_block<T>(settings_.horizon, actions.lanes);
    fill_uniform(stream, Purpose::kActions, first, 0, uniform);
    for (Index t = 0; t < settings_.horizon; ++t) {
      for (Index k = 0; k < actions.lanes; ++k) {
        const Index choice = first + k == 0 ? most_probable(t) : choice_at(t, uniform.row(t)[k]);
        for (Index i = 0; i < choices_.cols(); ++i) actions.row(t * choices_.cols() + i)[k] = choices_(choice, i);
      }
    }
  }

  void update(int /*iteration*/, Index ranked) override {
    const Index elites = std::min(settings_.elites, ranked);
    if (elites == 0) return;
    const T* const sequences = memory_.candidates.select(elites);
    const auto keep = static_cast<T>(settings_.smoothing);
    const Index size = settings_.horizon * choices_.cols();
    for (Index t = 0; t < settings_.horizon; ++t) {
      std::vector<T>& frequencies = memory_.frequencies;
      std::fill(frequencies.begin(), frequencies.end(), T(0));
      for (Index e = 0; e < elites; ++e) {
        frequencies[static_cast<std::size_t>(nearest(choices_, sequences + e * size + t * choices_.cols()))] +=
            T(1) / static_cast<T>(elites);
      }
      T* const row = probabilities(t);
      for (Index c = 0; c < count_; ++c) {
        const T mixed = keep * row[c] + (T(1) - keep) * frequencies[static_cast<std::size_t>(c)];
        row[c] = floor_ + (T(1) - floor_ * static_cast<T>(count_)) * mixed;
      }
    }
  }

  Index most_probable(Index t) const {
    return std::max_element(probabilities(t), probabilities(t) + count_) - probabilities(t);
  }

 private:
  T* probabilities(Index t) const { return memory_.probabilities.data() + t * count_; }

  Index choice_at(Index t, T uniform) const {
    const T* const row = probabilities(t);
    T sum = T(0);
    for (Index c = 0; c + 1 < count_; ++c) {
      sum += row[c];
      if (uniform < sum) return c;
    }
    return count_ - 1;
  }

  const CategoricalCemSettings& settings_;
  const ChoicesOf<T>& choices_;
  const PlanProblemOf<T>& problem_;
  SearchMemory<T>& memory_;
  Index count_;  // of choices
  T floor_;
};

}  // namespace

void CategoricalCemSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("candidates", candidates, 1);
  require_at_least("iterations", iterations, 1);
  require_elites(elites, candidates);
  require_fraction("min_probability", min_probability);
  require_fraction_below_one("smoothing", smoothing);
}

CategoricalCem::CategoricalCem(const CategoricalCemSettings& settings, const Eigen::MatrixXd& choices)
    : settings_(settings), single_choices_(choices.cast<float>()), exact_choices_(choices) {
  settings.validate();
  if (choices.size() == 0) throw_shape_error("actions", "none", "one row for each choice");
  require_finite_matrix("actions", choices);
}

template <class T>
const ChoicesOf<T>& CategoricalCem::choices() const {
  if constexpr (std::is_same_v<T, float>) {
    return single_choices_;
  } else {
    return exact_choices_;
  }
}

template <class T>
void CategoricalCem::copy_choices(const PlanResult<T>& result, double* out) const {
  const Index action_dim = exact_choices_.cols();
  for (Index t = 0; t < settings_.horizon; ++t) {
    const Index choice = nearest(choices<T>(), result.actions.data() + t * action_dim);
    for (Index i = 0; i < action_dim; ++i) out[t * action_dim + i] = exact_choices_(choice, i);
  }
}

void CategoricalCem::copy_actions(const PlanProblem& /*problem*/, const PlanResult<float>& result, double* out) const {
  copy_choices(result, out);
}

void CategoricalCem::copy_actions(const ExactPlanProblem& /*problem*/, const PlanResult<double>& result,
                                  double* out) const {
  copy_choices(result, out);
}

template <class T>
void CategoricalCem::plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const {
  problem.validate();
  const Index action_dim = problem.rollout.dynamics->action_dim();
  require_shape("actions", exact_choices_.rows(), exact_choices_.cols(), exact_choices_.rows(), action_dim);
  if (problem.action_rate != nullptr || problem.action_acceleration != nullptr) {
    throw_value_error("limits.action_rate, limits.action_acceleration", "one",
                      "None: fixed actions cannot be changed to keep to it");
  }
  for (Index choice = 0; choice < exact_choices_.rows(); ++choice) {
    for (Index i = 0; i < action_dim; ++i) {
      const double action = exact_choices_(choice, i);
      if (action >= problem.action_low[i] && action <= problem.action_high[i]) continue;
      throw_value_error("actions", text_of(action) + " in row " + text_of(choice),
                        "within the bounds of the action_space, " + text_of(problem.action_low[i]) + " to " +
                            text_of(problem.action_high[i]));
    }
  }
  CategoricalSearch<T> search(settings_, choices<T>(), problem, memory);
  const BestCandidate<T> best = run_search(problem, settings_.horizon, settings_.iterations, search, memory, result);
  if (settings_.returns_mode || !best.exists()) {
    for (Index t = 0; t < settings_.horizon; ++t) {
      std::copy_n(choices<T>().row(search.most_probable(t)).data(), action_dim,
                  result.actions.begin() + t * action_dim);
    }
  }
  memory.candidates.evaluate_result(problem, static_cast<std::uint32_t>(settings_.iterations), result);
}

void CategoricalCem::plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const {
  plan_in(problem, memory, result);
}

void CategoricalCem::plan(const ExactPlanProblem& problem, SearchMemory<double>& memory,
                          PlanResult<double>& result) const {
  plan_in(problem, memory, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

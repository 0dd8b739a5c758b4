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

// The choice that is nearest to an action, of those that may be taken: all where `allowed` is null.
template <class T, class A>
Index nearest(const ChoicesOf<T>& choices, const A* action, const char* allowed) {
  Index best = 0;
  T min_distance = std::numeric_limits<T>::infinity();
  for (Index c = 0; c < choices.rows(); ++c) {
    if (allowed != nullptr && allowed[c] == 0) continue;
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

// Which of the choices, in float64, are within the bounds of each step of a plan, to `out` (H, n); nothing where the
// bounds are the same at all steps.
template <class T>
void find_allowed(const PlanProblemOf<T>& problem, const ChoicesOf<double>& choices, Index horizon,
                  std::vector<char>& out) {
  out.clear();
  if (problem.bound_steps == 0) return;
  for (Index t = 0; t < horizon; ++t) {
    const std::size_t before = out.size();
    for (Index c = 0; c < choices.rows(); ++c) {
      bool is_allowed = true;
      for (Index i = 0; i < choices.cols(); ++i) {
        is_allowed = is_allowed && choices(c, i) >= problem.low_at(t, i) && choices(c, i) <= problem.high_at(t, i);
      }
      out.push_back(is_allowed ? 1 : 0);
    }
    if (std::count(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(), char{1}) > 0) continue;
    throw_value_error("limits.action_low, limits.action_high",
                      "bounds without any of the actions at step " + text_of(t),
                      "such that one of them may be chosen at each step");
  }
}

// The sequences that are brought along, each action the nearest choice of its step.
template <class T>
void choose_carried(const ChoicesOf<double>& choices, const std::vector<char>& allowed, Index horizon,
                    PlanProblemOf<T>& problem, std::vector<double>& chosen) {
  EarlierSequences& carried = problem.carried;
  const Index steps = std::min(carried.steps_left(), horizon);
  chosen.clear();
  for (Index n = 0; n < carried.count; ++n) {
    for (Index t = 0; t < steps; ++t) {
      const double* const action = carried.actions + (n * carried.steps + carried.skip + t) * choices.cols();
      const Index choice = nearest(choices, action, allowed.empty() ? nullptr : allowed.data() + t * choices.rows());
      chosen.insert(chosen.end(), choices.row(choice).data(), choices.row(choice).data() + choices.cols());
    }
  }
  carried = {chosen.data(), carried.count, steps, 0};
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
    memory.probabilities.assign(static_cast<std::size_t>(settings.horizon * count_), T(0));
    memory.frequencies.resize(static_cast<std::size_t>(count_));
    std::vector<T>& start = memory.best;
    start.resize(static_cast<std::size_t>(choices.cols()));
    for (Index t = 0; t < settings.horizon; ++t) {
      const Index of_step = allowed_count(t);
      const bool is_warm = problem.warm_start.actions != nullptr && of_step > 1;
      const T probability = is_warm ? static_cast<T>(1.0 - kWarmProbability) / static_cast<T>(of_step - 1)
                                    : T(1) / static_cast<T>(of_step);
      for (Index c = 0; c < count_; ++c) probabilities(t)[c] = may_choose(t, c) ? probability : T(0);
      if (!is_warm) continue;
      for (Index i = 0; i < choices.cols(); ++i) {
        start[static_cast<std::size_t>(i)] = static_cast<T>(problem.start_action(t * choices.cols() + i));
      }
      probabilities(t)[nearest(choices_, start.data(), allowed(t))] = static_cast<T>(kWarmProbability);
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
        const Index choice = nearest(choices_, sequences + e * size + t * choices_.cols(), allowed(t));
        frequencies[static_cast<std::size_t>(choice)] += T(1) / static_cast<T>(elites);
      }
      T* const row = probabilities(t);
      const auto of_step = static_cast<T>(allowed_count(t));
      for (Index c = 0; c < count_; ++c) {
        if (!may_choose(t, c)) continue;
        const T mixed = keep * row[c] + (T(1) - keep) * frequencies[static_cast<std::size_t>(c)];
        row[c] = floor_ + (T(1) - floor_ * of_step) * mixed;
      }
    }
  }

  Index most_probable(Index t) const {
    return std::max_element(probabilities(t), probabilities(t) + count_) - probabilities(t);
  }

 private:
  T* probabilities(Index t) const { return memory_.probabilities.data() + t * count_; }
  // Which choices are within the bounds of a step; null: all.
  const char* allowed(Index t) const { return memory_.allowed.empty() ? nullptr : memory_.allowed.data() + t * count_; }
  bool may_choose(Index t, Index choice) const { return allowed(t) == nullptr || allowed(t)[choice] != 0; }
  Index allowed_count(Index t) const {
    return allowed(t) == nullptr ? count_ : std::count(allowed(t), allowed(t) + count_, char{1});
  }

  Index choice_at(Index t, T uniform) const {
    const T* const row = probabilities(t);
    T sum = T(0);
    Index last = 0;
    for (Index c = 0; c < count_; ++c) {
      if (!may_choose(t, c)) continue;
      last = c;
      sum += row[c];
      if (uniform < sum) break;
    }
    return last;
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
void CategoricalCem::copy_choices(const PlanProblemOf<T>& problem, const PlanResult<T>& result, double* out) const {
  const Index action_dim = exact_choices_.cols();
  std::vector<char> allowed;
  find_allowed(problem, exact_choices_, settings_.horizon, allowed);
  for (Index t = 0; t < settings_.horizon; ++t) {
    const char* const of_step = allowed.empty() ? nullptr : allowed.data() + t * exact_choices_.rows();
    const Index choice = nearest(choices<T>(), result.actions.data() + t * action_dim, of_step);
    for (Index i = 0; i < action_dim; ++i) out[t * action_dim + i] = exact_choices_(choice, i);
  }
}

void CategoricalCem::copy_actions(const PlanProblem& problem, const PlanResult<float>& result, double* out) const {
  copy_choices(problem, result, out);
}

void CategoricalCem::copy_actions(const ExactPlanProblem& problem, const PlanResult<double>& result,
                                  double* out) const {
  copy_choices(problem, result, out);
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
  find_allowed(problem, exact_choices_, settings_.horizon, memory.allowed);
  if (problem.carried.count == 0) {
    search(problem, memory, result);
    return;
  }
  PlanProblemOf<T> chosen = problem;
  choose_carried(exact_choices_, memory.allowed, settings_.horizon, chosen, memory.chosen);
  search(chosen, memory, result);
}

template <class T>
void CategoricalCem::search(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const {
  const Index action_dim = exact_choices_.cols();
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

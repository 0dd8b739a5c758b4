#include "dynaplan/planners/categorical_cem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Choices = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The initial probability of the choice that the previous plan made at a warm-started step.
constexpr float kWarmProbability = 0.5F;

template <class T>
Index nearest(const Choices& choices, const T* action) {
  Index best = 0;
  float min_distance = std::numeric_limits<float>::infinity();
  for (Index c = 0; c < choices.rows(); ++c) {
    float distance = 0.0F;
    for (Index i = 0; i < choices.cols(); ++i) {
      const float difference = static_cast<float>(action[i]) - choices(c, i);
      distance += difference * difference;
    }
    if (distance < min_distance) {
      min_distance = distance;
      best = c;
    }
  }
  return best;
}

class CategoricalSearch final : public Search {
 public:
  CategoricalSearch(const CategoricalCemSettings& settings, const Choices& choices, const PlanProblem& problem,
                    SearchMemory& memory)
      : settings_(settings),
        choices_(choices),
        problem_(problem),
        memory_(memory),
        count_(choices.rows()),
        floor_(static_cast<float>(settings.min_probability) / static_cast<float>(choices.rows())) {
    memory.probabilities.assign(static_cast<std::size_t>(settings.horizon * count_), 1.0F / static_cast<float>(count_));
    memory.frequencies.resize(static_cast<std::size_t>(count_));
    if (problem.warm_start.actions == nullptr || count_ == 1) return;
    std::vector<float>& start = memory.best;
    start.resize(static_cast<std::size_t>(choices.cols()));
    for (Index t = 0; t < settings.horizon; ++t) {
      float* const row = probabilities(t);
      std::fill_n(row, count_, (1.0F - kWarmProbability) / static_cast<float>(count_ - 1));
      for (Index i = 0; i < choices.cols(); ++i) {
        start[static_cast<std::size_t>(i)] = static_cast<float>(problem.start_action(t * choices.cols() + i));
      }
      row[nearest(choices_, start.data())] = kWarmProbability;
    }
  }

  Index population(int /*iteration*/) const override { return settings_.candidates; }

  // Candidate 0 is the most probable sequence: the plan of the last call is never worse off for being refined.
  void draw(int iteration, Index first, Block<float> actions, Workspace& workspace) const override {
    Stream stream = problem_.stream;
    stream.iteration = static_cast<std::uint32_t>(iteration);
    const Block<float> uniform = workspace.take_block<float>(settings_.horizon, actions.lanes);
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
    const float* const sequences = memory_.candidates.select(elites);
    const auto keep = static_cast<float>(settings_.smoothing);
    const Index size = settings_.horizon * choices_.cols();
    for (Index t = 0; t < settings_.horizon; ++t) {
      std::vector<float>& frequencies = memory_.frequencies;
      std::fill(frequencies.begin(), frequencies.end(), 0.0F);
      for (Index e = 0; e < elites; ++e) {
        frequencies[static_cast<std::size_t>(nearest(choices_, sequences + e * size + t * choices_.cols()))] +=
            1.0F / static_cast<float>(elites);
      }
      float* const row = probabilities(t);
      for (Index c = 0; c < count_; ++c) {
        const float mixed = keep * row[c] + (1.0F - keep) * frequencies[static_cast<std::size_t>(c)];
        row[c] = floor_ + (1.0F - floor_ * static_cast<float>(count_)) * mixed;
      }
    }
  }

  Index most_probable(Index t) const {
    return std::max_element(probabilities(t), probabilities(t) + count_) - probabilities(t);
  }

 private:
  float* probabilities(Index t) const { return memory_.probabilities.data() + t * count_; }

  Index choice_at(Index t, float uniform) const {
    const float* const row = probabilities(t);
    float sum = 0.0F;
    for (Index c = 0; c + 1 < count_; ++c) {
      sum += row[c];
      if (uniform < sum) return c;
    }
    return count_ - 1;
  }

  const CategoricalCemSettings& settings_;
  const Choices& choices_;
  const PlanProblem& problem_;
  SearchMemory& memory_;
  Index count_;  // of choices
  float floor_;
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
    : settings_(settings), given_(choices), choices_(choices.cast<float>()) {
  settings.validate();
  if (choices.size() == 0) throw_shape_error("actions", "none", "one row for each choice");
  require_finite_matrix("actions", choices);
}

void CategoricalCem::copy_actions(const PlanProblem& /*problem*/, const PlanResult& result, double* out) const {
  for (Index t = 0; t < settings_.horizon; ++t) {
    const Index choice = nearest(choices_, result.actions.data() + t * given_.cols());
    for (Index i = 0; i < given_.cols(); ++i) out[t * given_.cols() + i] = given_(choice, i);
  }
}

void CategoricalCem::plan(const PlanProblem& problem, SearchMemory& memory, PlanResult& result) const {
  problem.validate();
  const Index action_dim = problem.rollout.dynamics->action_dim();
  require_shape("actions", choices_.rows(), choices_.cols(), choices_.rows(), action_dim);
  if (problem.action_rate != nullptr || problem.action_acceleration != nullptr) {
    throw_value_error("limits.action_rate, limits.action_acceleration", "one",
                      "None: fixed actions cannot be changed to keep to it");
  }
  for (Index choice = 0; choice < given_.rows(); ++choice) {
    for (Index i = 0; i < action_dim; ++i) {
      const double action = given_(choice, i);
      if (action >= problem.action_low[i] && action <= problem.action_high[i]) continue;
      throw_value_error("actions", text_of(action) + " in row " + text_of(choice),
                        "within the bounds of the action_space, " + text_of(problem.action_low[i]) + " to " +
                            text_of(problem.action_high[i]));
    }
  }
  CategoricalSearch search(settings_, choices_, problem, memory);
  const BestCandidate best = run_search(problem, settings_.horizon, settings_.iterations, search, memory, result);
  if (settings_.returns_mode || !best.exists()) {
    for (Index t = 0; t < settings_.horizon; ++t) {
      std::copy_n(choices_.row(search.most_probable(t)).data(), choices_.cols(),
                  result.actions.begin() + t * choices_.cols());
    }
  }
  memory.candidates.evaluate_result(problem, static_cast<std::uint32_t>(settings_.iterations), result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/mppi.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/dense.hpp"
#include "dynaplan/planners/action_limits.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
class MppiSearch final : public Search<T> {
 public:
  MppiSearch(const MppiSettings& settings, const SequenceNoise<T>& noise,
             const std::vector<Eigen::MatrixXd>& precisions, const PlanProblemOf<T>& problem, SearchMemory<T>& memory)
      : settings_(settings), noise_(noise), precisions_(precisions), problem_(problem), memory_(memory) {
    settings.noise.require_actions(problem.rollout.dynamics->action_dim());
    memory.distribution.start(problem, settings.horizon, settings.initial_std, "initial_std");
  }

  Index population(int /*iteration*/) const override { return settings_.candidates; }

  // Candidate 0 is the mean itself, without noise.
  void draw(int iteration, Index first, Block<T> actions, Workspace& workspace) const override {
    Stream stream = problem_.stream;
    stream.iteration = static_cast<std::uint32_t>(iteration);
    noise_.draw(stream, first, actions, workspace);
    slow_noise(problem_, stream, memory_.distribution.std.data(), Population{first, settings_.candidates}, actions);
    memory_.distribution.draw(actions);
    if (first > 0) return;
    for (Index row = 0; row < actions.dim; ++row) actions.row(row)[0] = memory_.distribution.mean_action(row);
  }

  void update(int iteration, Index ranked) override {
    if (ranked == 0) return;
    Candidates<T>& candidates = memory_.candidates;
    SearchDistribution<T>& distribution = memory_.distribution;
    CandidateNumbers<T>& weights = memory_.weights;
    weights.assign(candidates.totals(), candidates.totals() + candidates.count());
    if (settings_.temperature) {
      const double unit = settings_.standardised ? deviation_of(weights) : 1.0;
      const double temperature = unit > 0.0 ? unit * *settings_.temperature : *settings_.temperature;
      if (settings_.control_cost > 0.0) charge_for_control(temperature, weights);
      weigh(temperature, weights);
    } else {
      weigh_for(settings_.effective_samples, weights);
    }
    candidates.average(weights.data(), problem_.interrupt, distribution.mean.data());
    const std::vector<double>& decays = settings_.std_decay;
    const double decay = decays[std::min(static_cast<std::size_t>(iteration), decays.size() - 1)];
    for (T& std : distribution.std) std *= static_cast<T>(decay);
  }

 private:
  // Each return less temperature x (mean - target)' precision (action - mean), after the bounds have cut the noise; of
  // white noise the precision is 1 / std^2 at each step. By itself the target is the middle of the box, so that a box
  // off zero costs nothing.
  void charge_for_control(double temperature, CandidateNumbers<T>& returns) const {
    const SearchDistribution<T>& distribution = memory_.distribution;
    const auto factor = static_cast<T>(temperature * settings_.control_cost);
    std::vector<T>& price = memory_.best;
    price.resize(distribution.mean.size());
    T base = T(0);
    for (std::size_t row = 0; row < price.size(); ++row) {
      const T variance = distribution.std[row] * distribution.std[row];
      const T away = distribution.mean[row] - target(static_cast<Index>(row));
      price[row] = variance > T(0) ? factor * away / variance : T(0);
      base += price[row] * distribution.mean[row];
    }
    if (!noise_.is_white()) base = correlate(price);
    memory_.candidates.subtract_linear(price.data(), -base, returns.data());
  }

  // Prices by the variances alone become those by the covariance along the horizon; returns what the mean pays.
  T correlate(std::vector<T>& price) const {
    const std::vector<T>& std = memory_.distribution.std;
    std::vector<T>& alone = memory_.start;
    alone.assign(price.begin(), price.end());
    const Index action_dim = static_cast<Index>(price.size()) / settings_.horizon;
    T base = T(0);
    for (Index row = 0; row < static_cast<Index>(price.size()); ++row) {
      const Index action = row % action_dim;
      const Eigen::MatrixXd& precision = precisions_[precisions_.size() > 1 ? static_cast<std::size_t>(action) : 0];
      double sum = 0.0;
      for (Index t = 0; t < settings_.horizon; ++t) {
        const auto other = static_cast<std::size_t>(t * action_dim + action);
        sum += precision(row / action_dim, t) * static_cast<double>(std[other] * alone[other]);
      }
      const T own = std[static_cast<std::size_t>(row)];
      price[static_cast<std::size_t>(row)] = own > T(0) ? static_cast<T>(sum) / own : T(0);
      base += price[static_cast<std::size_t>(row)] * memory_.distribution.mean[static_cast<std::size_t>(row)];
    }
    return base;
  }

  T target(Index row) const {
    const std::vector<double>& targets = settings_.control_target;
    if (targets.empty()) return memory_.distribution.middle(row);
    return static_cast<T>(targets[static_cast<std::size_t>(row) % targets.size()]);
  }

  const MppiSettings& settings_;
  const SequenceNoise<T>& noise_;
  const std::vector<Eigen::MatrixXd>& precisions_;
  const PlanProblemOf<T>& problem_;
  SearchMemory<T>& memory_;
};

// The inverse of the covariance of noise that `sums` make; along what they cannot make, 0: no candidate goes there.
Eigen::MatrixXd precision_of(const Eigen::MatrixXd& sums) {
  constexpr double kMinShare = 1e-3;  // of the largest deviation: in float32, smaller ones are rounded away
  const SingularValues of_sums = singular_values(sums);
  Eigen::VectorXd inverse = Eigen::VectorXd::Zero(sums.rows());
  for (Index i = 0; i < of_sums.values.size(); ++i) {
    const double deviation = of_sums.values(i);
    if (deviation > kMinShare * of_sums.values(0)) inverse(i) = 1.0 / (deviation * deviation);
  }
  return product_transposed(of_sums.left * inverse.asDiagonal(), of_sums.left);
}

}  // namespace

void MppiSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("candidates", candidates, 1);
  require_at_least("iterations", iterations, 1);
  initial_std.validate("initial_std");
  validate_decays();
  if (temperature) require_positive("temperature", *temperature);
  require(effective_samples >= 1.0 && effective_samples <= static_cast<double>(candidates), "effective_samples",
          effective_samples, "from 1 to candidates");
  require_fraction("control_cost", control_cost);
  require(control_cost == 0.0 || temperature, "control_cost", control_cost, "0.0 unless a temperature is given");
  require(!standardised || temperature, "standardise", standardised, "False unless a temperature is given");
  if (!control_target.empty()) {
    require_finite("control_target", control_target.data(), static_cast<Index>(control_target.size()));
  }
  noise.validate(horizon);
}

void MppiSettings::validate_decays() const {
  const auto count = static_cast<Index>(std_decay.size());
  if (count != 1 && count != iterations - 1) {
    throw_shape_error("std_decay", std::to_string(count) + " factors",
                      "one, or one for each iteration after the first, " + std::to_string(iterations - 1));
  }
  for (Index i = 0; i < count; ++i) {
    const double factor = std_decay[static_cast<std::size_t>(i)];
    if (count == 1) {
      require_positive_fraction("std_decay", factor);
    } else if (!(factor > 0.0 && factor <= 1.0)) {
      throw_entry_error("std_decay", i, factor, "in (0, 1]");
    }
  }
}

Mppi::Mppi(const MppiSettings& settings)
    : settings_(validated(settings)), noise_(noise_sums(settings.horizon, settings.noise)) {
  if (settings.control_cost == 0.0) return;
  for (const Eigen::MatrixXd& sums : noise_sums(settings.horizon, settings.noise)) {
    precisions_.push_back(precision_of(sums));
  }
}

template <class T>
void Mppi::plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const {
  problem.validate();
  if (settings_.control_target.size() > 1) {
    require_same_size("control_target", static_cast<Index>(settings_.control_target.size()), "the model's actions",
                      problem.rollout.dynamics->action_dim());
  }
  MppiSearch<T> search(settings_, noise_.as<T>(), precisions_, problem, memory);
  const BestCandidate<T> best = run_search(problem, settings_.horizon, settings_.iterations, search, memory, result);
  if (result.iterations > 0) {
    choose_mean(problem, settings_.iterations, best, memory, result);
  } else {
    choose_best(problem, settings_.iterations, best, memory, result);
  }
}

void Mppi::plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const {
  plan_in(problem, memory, result);
}

void Mppi::plan(const ExactPlanProblem& problem, SearchMemory<double>& memory, PlanResult<double>& result) const {
  plan_in(problem, memory, result);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

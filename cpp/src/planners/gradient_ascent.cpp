#include "dynaplan/planners/gradient_ascent.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/planners/action_limits.hpp"
#include "dynaplan/planners/watch.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr Index kLanes = GradientBlock::kLanes;
constexpr double kNone = -std::numeric_limits<double>::infinity();

// Functions outside, such as Python's, are not called in a parallel region, so that their exceptions just pass.
bool calls_outside(const ExactPlanProblem& problem) {
  return problem.score != nullptr || problem.terminal_value != nullptr || !problem.rollout.constraints.empty() ||
         problem.rollout.dynamics->max_lanes() > kMaxLanes;
}

class GradientAscentRun {
 public:
  GradientAscentRun(const GradientAscentSettings& settings, const ExactPlanProblem& problem, TrajectoryMemory& memory,
                    TrajectoryPlan& result)
      : settings_(settings),
        problem_(problem),
        of_block_(problem),
        blocks_(memory.ascent),
        best_(memory.nominal),
        result_(result),
        watch_(problem.deadline) {
    // All sequences that are given are among the candidates.
    count_ = std::max(settings.candidates, 1 + problem.carried.count);
    const Index blocks = (count_ + kLanes - 1) / kLanes;
    const Dynamics<double>& dynamics = *problem.rollout.dynamics;
    require_addressable("candidates, horizon",
                        {blocks * kLanes, settings.horizon + 1, 2 * (dynamics.state_dim() + dynamics.action_dim())});
    memory.distribution.start(problem, settings.horizon, settings.initial_std, "initial_std");
    threads_ = calls_outside(problem) ? 1 : usable_threads(blocks, problem.threads);
    if (threads_ > 1) of_block_.threads = 1;
    blocks_.resize(static_cast<std::size_t>(blocks));
    for (Index b = 0; b < blocks; ++b) {
      blocks_[static_cast<std::size_t>(b)].prepare(of_block_, settings.horizon, std::min(kLanes, count_ - b * kLanes));
      draw(memory.distribution, b * kLanes, blocks_[static_cast<std::size_t>(b)].actions());
    }
    between_prices_ = std::clamp(settings.iterations / 10, 1, 20);
    result.gains.clear();
    result.candidates = result.non_finite = result.rejected = 0;
    result.iterations = 0;
  }

  void run() {
    result_.status = PlanStatus::kIterations;
    watch_.begin();
    roll_out();
    watch_.end();
    for (const GradientBlock& block : blocks_) {
      for (Index k = 0; k < block.count(); ++k) least_scale_ = std::max(least_scale_, kShare * size_of(block, k));
    }
    while (improve()) {
    }
    write_plan();
  }

 private:
  // Candidate 0 is the warm start, or where planning starts without one; then come the sequences given. The others are
  // drawn around the first.
  void draw(const SearchDistribution<double>& distribution, Index first, Block<double> actions) const {
    Stream stream = problem_.stream;
    fill_normal(stream, Purpose::kActions, first, 0, actions);
    slow_noise(problem_, stream, distribution.std.data(), Population{first, count_}, actions);
    distribution.draw(actions);
    const EarlierSequences& carried = problem_.carried;
    const Index action_dim = problem_.rollout.dynamics->action_dim();
    const Index given = std::min(carried.steps_left(), settings_.horizon) * action_dim;
    for (Index k = 0; k < kLanes && first + k <= carried.count; ++k) {
      const Index number = first + k - 1;
      for (Index row = 0; row < actions.dim; ++row) {
        double action = distribution.mean_action(row);
        if (number >= 0 && row < given) {
          action = carried.actions[(number * carried.steps + carried.skip) * action_dim + row];
        }
        const Index step = row / action_dim;
        const Index dim = row % action_dim;
        actions.row(row)[k] = std::clamp(action, problem_.low_at(step, dim), problem_.high_at(step, dim));
      }
    }
    limit_changes(problem_, actions);
  }

  template <class Work>
  void for_each_block(const Work& work) {
    parallel_for(
        static_cast<Index>(blocks_.size()), threads_,
        [&](Index index, int /*thread*/) { work(blocks_[static_cast<std::size_t>(index)]); }, problem_.interrupt);
  }

  static double size_of(const GradientBlock& block, Index lane) {
    return block.has_trajectory(lane) ? std::abs(block.trajectory(lane).value) : 0.0;
  }

  void roll_out() {
    const bool is_first = result_.candidates == 0;
    for_each_block([&](GradientBlock& block) { block.roll_out(of_block_); });
    if (is_first) best_ = blocks_.front().trajectory(0);
    is_best_optimal_ = false;
    for (const GradientBlock& block : blocks_) {
      result_.candidates += block.counted().candidates;
      result_.non_finite += block.counted().non_finite;
      for (Index k = 0; k < block.count(); ++k) {
        if (!block.is_finite(k)) continue;
        if (block.violation(k) > 0.0) ++result_.rejected;
        take_if_better(block, k, 0.0);
      }
    }
  }

  // The least violation comes first, then the largest return.
  bool take_if_better(const GradientBlock& block, Index lane, double margin) {
    const double violation = block.violation(lane);
    const double value = block.trajectory(lane).value;
    const bool is_better =
        violation != violation_ ? violation < violation_ : !std::isfinite(value_) || value > value_ - margin;
    if (!is_better) return false;
    best_ = block.trajectory(lane);
    violation_ = violation;
    value_ = value;
    return true;
  }

  // One step of all candidates; false where there is no more to do.
  bool improve() {
    if (!std::isfinite(value_)) return false;
    if (!watch_.in_time()) return end(PlanStatus::kTimeLimit);
    watch_.begin();
    for_each_block([&](GradientBlock& block) { block.derive(of_block_); });
    if (are_all_optimal()) return end(PlanStatus::kConverged);
    if (result_.iterations == settings_.iterations) {
      return end(is_best_optimal_ ? PlanStatus::kConverged : PlanStatus::kIterations);
    }
    const double left = 1.0 - static_cast<double>(result_.iterations) / static_cast<double>(settings_.iterations);
    const AdamStep<double> adam(left * settings_.learning_rate, result_.iterations + 1);
    const bool changes_prices = (result_.iterations + 1) % between_prices_ == 0;
    for_each_block([&](GradientBlock& block) {
      if (changes_prices) block.update_prices(of_block_);
      block.step(of_block_, adam);
    });
    roll_out();
    ++result_.iterations;
    watch_.end();
    return true;
  }

  bool end(PlanStatus status) {
    result_.status = status;
    return false;
  }

  // What is optimal is taken where nothing seen is worth noticeably more.
  bool are_all_optimal() {
    constexpr double kUnseen = 1e-9;
    const double scale = std::max(least_scale_, std::abs(value_));
    bool all = true;
    for (GradientBlock& block : blocks_) {
      for (Index k = 0; k < block.count(); ++k) {
        if (!block.has_trajectory(k)) continue;
        const bool is_optimal = block.is_finite(k) && block.is_optimal(of_block_, k, scale, settings_.tolerance);
        all = all && is_optimal;
        if (is_optimal && take_if_better(block, k, kUnseen * scale)) is_best_optimal_ = true;
      }
    }
    return all && is_best_optimal_;
  }

  void write_plan() {
    result_.actions.assign(best_.actions.begin(), best_.actions.end());
    result_.states.assign(best_.states.begin(), best_.states.end());
    const bool is_kept = std::isfinite(value_) && violation_ == 0.0;
    result_.value = is_kept ? value_ : kNone;
    if (!is_kept) result_.status = PlanStatus::kNoFiniteCandidate;
  }

  const GradientAscentSettings& settings_;
  const ExactPlanProblem& problem_;
  ExactPlanProblem of_block_;
  std::vector<GradientBlock>& blocks_;
  NominalTrajectory& best_;
  TrajectoryPlan& result_;
  Watch watch_;
  Index count_ = 0;
  int threads_ = 1;
  int between_prices_ = 1;  // steps from one change of the limits' prices to the next
  // Of returns: a best one of 0 would leave none. At least a share of the largest that the search started from.
  static constexpr double kShare = 1e-3;
  double least_scale_ = std::numeric_limits<double>::min();
  double value_ = kNone;
  double violation_ = std::numeric_limits<double>::infinity();
  bool is_best_optimal_ = false;
};

}  // namespace

void GradientAscentSettings::validate() const {
  require_at_least("horizon", horizon, 1);
  require_at_least("candidates", candidates, 1);
  require_at_least("iterations", iterations, 1);
  require_positive("learning_rate", learning_rate);
  initial_std.validate("initial_std");
  require_not_negative("tolerance", tolerance);
}

GradientAscent::GradientAscent(const GradientAscentSettings& settings) : settings_(settings) { settings.validate(); }

void GradientAscent::plan(const ExactPlanProblem& problem, TrajectoryMemory& memory, TrajectoryPlan& result) const {
  problem.validate();
  require_mean_prediction(problem.rollout);
  GradientAscentRun(settings_, problem, memory, result).run();
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

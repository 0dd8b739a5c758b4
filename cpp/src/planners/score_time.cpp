#include "dynaplan/planners/score_time.hpp"

#include <algorithm>
#include <vector>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// `count` times the same numbers, one after another.
template <class T>
std::vector<T> repeated(const std::vector<T>& values, Index count) {
  std::vector<T> all;
  all.reserve(values.size() * static_cast<std::size_t>(count));
  for (Index n = 0; n < count; ++n) all.insert(all.end(), values.begin(), values.end());
  return all;
}

template <class T>
class StayingCandidate {
 public:
  StayingCandidate(const PlanProblemOf<T>& problem, Index horizon)
      : problem_(problem),
        horizon_(horizon),
        state_(problem.state, problem.state + problem.rollout.dynamics->state_dim()) {
    for (Index row = 0; row < horizon * problem.rollout.dynamics->action_dim(); ++row) {
      sequence_.push_back(static_cast<T>(problem.start_action(row)));
    }
  }

  // Seconds that a call about it takes.
  double seconds_of_one() const {
    const Index rows = problem_.rollout.particles.count;
    std::vector<T> totals(static_cast<std::size_t>(rows));
    if (problem_.score == nullptr) {
      const std::vector<T> states = repeated(state_, rows);
      return seconds([&] { problem_.terminal_value->value(states.data(), rows, totals.data()); });
    }
    const std::vector<T> states = repeated(state_, rows * (horizon_ + 1));
    const std::vector<T> actions = repeated(sequence_, rows);
    const std::vector<T> within_limit(totals.size(), static_cast<T>(horizon_));
    std::vector<T> violations(totals.size());
    return seconds([&] {
      problem_.score->score(states.data(), actions.data(),
                            problem_.rollout.disagreement_limit ? within_limit.data() : nullptr, rows, horizon_,
                            totals.data(), problem_.rollout.rejects() ? violations.data() : nullptr);
    });
  }

 private:
  template <class Call>
  static double seconds(const Call& call) {
    const Clock::time_point begin = Clock::now();
    call();
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  const PlanProblemOf<T>& problem_;
  Index horizon_;
  std::vector<T> state_;
  std::vector<T> sequence_;
};

}  // namespace

template <class T>
CallTime measure_score_time(const PlanProblemOf<T>& problem, Index horizon) {
  problem.validate();
  const Dynamics<T>& dynamics = *problem.rollout.dynamics;
  require_addressable("horizon", {kMaxLanes, problem.rollout.particles.count, horizon + 1,
                                  std::max(dynamics.state_dim(), dynamics.action_dim())});
  CallTime time;
  time.took(1, StayingCandidate<T>(problem, horizon).seconds_of_one());
  return time;
}

template CallTime measure_score_time(const PlanProblem&, Index);
template CallTime measure_score_time(const ExactPlanProblem&, Index);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

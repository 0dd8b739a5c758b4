#include <algorithm>
#include <cmath>
#include <numeric>

#include "dynaplan/core/transpose.hpp"
#include "dynaplan/planners/candidates.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
void Candidates<T>::prepare_scores(const PlanProblemOf<T>& problem, Index count) {
  const Index rows = count * problem.rollout.particles.count;
  if (problem.score != nullptr) {
    trajectories_.resize(static_cast<std::size_t>(rows * (horizon_ + 1) * state_dim_));
    sequences_.resize(static_cast<std::size_t>(rows * horizon_ * action_dim_));
    steps_within_limit_.resize(static_cast<std::size_t>(problem.rollout.disagreement_limit ? rows : 0));
    particle_violations_.resize(static_cast<std::size_t>(problem.rollout.rejects() ? rows : 0));
  } else if (problem.terminal_value != nullptr) {
    end_states_.resize(static_cast<std::size_t>(rows * state_dim_));
    end_weights_.resize(static_cast<std::size_t>(rows));
    end_values_.resize(static_cast<std::size_t>(rows));
  } else {
    return;
  }
  particle_totals_.resize(static_cast<std::size_t>(rows));
}

template <class T>
void Candidates<T>::keep_trajectories(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index first,
                                      Index count) {
  const Index particles = problem.rollout.particles.count;
  const Index rows = problem.rollout.trajectory_rows(horizon_);
  const Index size = (horizon_ + 1) * state_dim_;
  for (Index p = 0; p < particles; ++p) {
    block_to_rows<T>(block.trajectory.rows(p * rows, size), count,
                     trajectories_.data() + (first * particles + p) * size, particles * size);
    block_to_rows<T>(block.actions, count, sequences_.data() + (first * particles + p) * block.actions.dim,
                     particles * block.actions.dim);
  }
  if (problem.rollout.disagreement_limit) {
    block_to_rows<T>(block.steps_within_limit, count, steps_within_limit_.data() + first * particles, particles);
  }
}

template <class T>
void Candidates<T>::keep_end(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index first, Index count) {
  const Index particles = problem.rollout.particles.count;
  const Index size = particles * state_dim_;
  block_to_rows<T>(block.end.states, count, end_states_.data() + first * size, size);
  block_to_rows<T>(block.end.weights, count, end_weights_.data() + first * particles, particles);
  block_to_rows<T>(block.end.totals, count, particle_totals_.data() + first * particles, particles);
}

// Scores candidates that are kept, from the first on.
template <class T>
void Candidates<T>::score_kept(const PlanProblemOf<T>& problem, Index first, Index count) {
  const Index particles = problem.rollout.particles.count;
  const Index row = first * particles;
  const Index rows = count * particles;
  T* const totals = particle_totals_.data() + row;
  if (problem.score != nullptr) {
    T* const violations = particle_violations_.empty() ? nullptr : particle_violations_.data() + row;
    problem.score->score(
        trajectories_.data() + row * (horizon_ + 1) * state_dim_, sequences_.data() + row * horizon_ * action_dim_,
        steps_within_limit_.empty() ? nullptr : steps_within_limit_.data() + row, rows, horizon_, totals, violations);
    for (Index n = 0; !violations_.empty() && n < count; ++n) {
      const T* const of_particles = violations + n * particles;
      violations_[static_cast<std::size_t>(first + n)] =
          std::accumulate(of_particles, of_particles + particles, T(0)) / static_cast<T>(particles);
    }
  } else {
    problem.terminal_value->value(end_states_.data() + row * state_dim_, rows, end_values_.data() + row);
    for (Index n = 0; n < rows; ++n) {
      const auto of_row = static_cast<std::size_t>(row + n);
      // A choice, not a product: what follows the end of an episode counts for nothing, also where it is nan.
      if (end_weights_[of_row] != T(0)) totals[n] += end_weights_[of_row] * end_values_[of_row];
    }
  }
  for (Index n = 0; n < count; ++n) {
    totals_[static_cast<std::size_t>(first + n)] =
        reduce(problem.rollout.particles.risk, problem.rollout.dynamics->members(), totals + n * particles, particles);
  }
}

// Seconds that there are to score candidates in, the result's own left aside: by itself, and as the mean goes.
template <class T>
double Candidates<T>::seconds_to_score(const PlanProblemOf<T>& problem) const {
  const double of_result = problem.rollout.scores_the_mean() ? 1.0 : 2.0;
  return problem.seconds_left() - of_result * score_time_.of(1);
}

// Scores as many of the candidates that have been rolled out as there is time for, one at least in a plan. Each call is
// given three quarters of the time, so that it may take longer than thought.
template <class T>
void Candidates<T>::score_in_time(const PlanProblemOf<T>& problem) {
  constexpr double kShare = 0.75;
  const auto first_late = std::find(late_.begin(), late_.end(), char{1}) - late_.begin();
  const Index rolled = std::min(static_cast<Index>(first_late) * lanes_, scored_);
  for (scored_ = 0; scored_ < rolled; has_scored_ = true) {
    const double left = seconds_to_score(problem);
    if (has_scored_ && left < score_time_.of(1)) return;
    const Index count = std::min(score_time_.rows_in(kShare * left), rolled - scored_);
    const Clock::time_point begin = Clock::now();
    score_kept(problem, scored_, count);
    score_time_.took(count, std::chrono::duration<double>(Clock::now() - begin).count());
    scored_ += count;
  }
}

// The return of one lane of a block of the mean. A function outside is asked about one candidate, as users know it.
template <class T>
T Candidates<T>::return_of(const PlanProblemOf<T>& problem, const BlockRollout<T>& block, Index lane) {
  T total = T(0);
  const auto of_lane = [&](ConstBlock<T> all, Index rows, T* out) {
    for (Index i = 0; i < rows; ++i) out[i] = all.row(i)[lane];
  };
  if (problem.score != nullptr) {
    of_lane(block.trajectory, (horizon_ + 1) * state_dim_, trajectories_.data());
    of_lane(block.actions, horizon_ * action_dim_, sequences_.data());
    problem.score->score(trajectories_.data(), sequences_.data(), nullptr, 1, horizon_, &total, nullptr);
  } else if (problem.terminal_value != nullptr) {
    of_lane(block.end.states, state_dim_, end_states_.data());
    problem.terminal_value->value(end_states_.data(), 1, &total);
    const T weight = block.end.weights.data[lane];
    total = block.end.totals.data[lane] + (weight != T(0) ? weight * total : T(0));
  } else {
    total = block.total[lane];
  }
  return total;
}

template class Candidates<float>;
template class Candidates<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/rollout/imagination.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr Index kMaxRollouts = Index{1} << 31;  // what a counter of random numbers distinguishes

enum class RolloutStatus : unsigned char { kRunning, kEnded, kCut };

// Rollouts that one member steps, some in the order of `Run::order_`.
struct Group {
  Index member;
  Index first;
  Index count;
};

// All rollouts, a step at a time. Each step sorts those that are running by the member that predicts them, so that a
// block runs one network; random numbers are keyed by the place in that order, which does not depend on threads.
template <class T>
class Run {
 public:
  Run(const ImaginationProblemOf<T>& problem, const ImaginedRows& rows)
      : problem_(problem),
        rows_(rows),
        state_dim_(problem.dynamics->state_dim()),
        action_dim_(problem.dynamics->action_dim()),
        lanes_(block_lanes(*problem.dynamics, rows.count)),
        threads_(usable_threads((rows.count + lanes_ - 1) / lanes_ + members(), rows.threads)),
        states_(rows.count * state_dim_),
        actions_(rows.count * action_dim_),
        status_(size(rows.count), RolloutStatus::kRunning),
        running_(size(rows.count)),
        order_(size(rows.count)),
        choice_(size(rows.count)),
        starts_of_members_(size(members() + 1)),
        workspaces_(size(threads_)) {
    groups_.reserve(size(rows.count / lanes_ + members() + 1));
    for (Workspace& workspace : workspaces_) workspace.reserve(workspace_bytes());
    if (problem.batch_policy != nullptr || problem.batch_termination != nullptr) {
      batch_states_.resize(size(rows.count * state_dim_));
      batch_actions_.resize(size(rows.count * action_dim_));
    }
    if (problem.batch_termination != nullptr) {
      batch_next_states_.resize(size(rows.count * state_dim_));
      batch_ended_ = std::make_unique<bool[]>(size(rows.count));
    }
  }

  void run() {
    begin();
    for (Index t = 0; t < rows_.length && !running_.empty(); ++t) {
      deal_members(t);
      if (problem_.batch_policy != nullptr) ask_policy(t);
      parallel_for(static_cast<Index>(groups_.size()), threads_, [&](Index group, int thread) {
        if (rows_.interrupt != nullptr && rows_.interrupt->requested()) return;
        step(groups_[size(group)], t, workspaces_[size(thread)]);
      });
      if (rows_.interrupt != nullptr && rows_.interrupt->requested()) return;
      if (problem_.batch_termination != nullptr) ask_termination(t);
      running_.erase(std::remove_if(running_.begin(), running_.end(),
                                    [&](Index n) { return status_[size(n)] != RolloutStatus::kRunning; }),
                     running_.end());
    }
    for (Index n = 0; n < rows_.count; ++n) rows_.cut[n] = status_[size(n)] == RolloutStatus::kCut;
  }

 private:
  using Numbers = Eigen::Array<T, Eigen::Dynamic, 1>;

  static T rounded(double value) { return static_cast<T>(value); }
  static std::size_t size(Index count) { return static_cast<std::size_t>(count); }
  Index members() const { return static_cast<Index>(problem_.elite_members.size()); }
  Stream stream(Index t) const { return {rows_.seed, 0, static_cast<std::uint32_t>(t)}; }
  Index row(Index rollout, Index t) const { return rollout * rows_.length + t; }

  std::size_t workspace_bytes() const {
    std::size_t max_bytes = problem_.dynamics->workspace_bytes(lanes_);
    if (problem_.policy != nullptr) max_bytes = std::max(max_bytes, problem_.policy->bytes_in_either_type(lanes_));
    if (problem_.reward != nullptr) max_bytes = std::max(max_bytes, problem_.reward->workspace_bytes(lanes_));
    if (problem_.termination != nullptr) max_bytes = std::max(max_bytes, problem_.termination->workspace_bytes(lanes_));
    const Index columns = std::max(problem_.dynamics->output_dim(), action_dim_);
    return max_bytes + 2 * Workspace::bytes<T>(columns * lanes_) + Workspace::bytes<T>(state_dim_ * lanes_) +
           2 * Workspace::bytes<T>(action_dim_ * lanes_) + 3 * Workspace::bytes<T>(lanes_);
  }

  // The starts, as they are stepped and as they are given back. Here and not where they are stepped, which is in the
  // order of the members: memory that is written for the first time is slow out of order.
  void begin() {
    constexpr Index kRollouts = 512;
    parallel_for((rows_.count + kRollouts - 1) / kRollouts, threads_, [&](Index slice, int /*thread*/) {
      const Index first = slice * kRollouts;
      const Index last = std::min(first + kRollouts, rows_.count);
      for (Index n = first; n < last; ++n) {
        const double* const start = rows_.starts + n * state_dim_;
        std::copy_n(start, state_dim_, rows_.states + row(n, 0) * state_dim_);
        std::transform(start, start + state_dim_, states_.data() + n * state_dim_, rounded);
        running_[size(n)] = n;
        rows_.steps[n] = 0;
        rows_.cut[n] = false;
      }
      if (rows_.previous_actions == nullptr) return;
      std::transform(rows_.previous_actions + first * action_dim_, rows_.previous_actions + last * action_dim_,
                     actions_.data() + first * action_dim_, rounded);
    });
  }

  // Draws an elite for each rollout, sorts the rollouts by it (a counting sort, stable), and cuts them into blocks.
  void deal_members(Index t) {
    const auto count = static_cast<Index>(running_.size());
    alignas(64) float uniform[kMaxLanes];
    std::fill(starts_of_members_.begin(), starts_of_members_.end(), Index{0});
    for (Index first = 0; first < count; first += kMaxLanes) {
      const Block<float> draws{uniform, 1, kMaxLanes, kMaxLanes};
      // The rows of random numbers that the policy leaves.
      fill_uniform(stream(t), Purpose::kActions, first, normal_rows(action_dim_), draws);
      for (Index k = 0; k < std::min(kMaxLanes, count - first); ++k) {
        // Below 2^24 members, the product with a number below 1 is below their number.
        const auto elite = static_cast<Index>(uniform[k] * static_cast<float>(members()));
        choice_[size(first + k)] = elite;
        ++starts_of_members_[size(elite + 1)];
      }
    }
    for (Index m = 0; m < members(); ++m) starts_of_members_[size(m + 1)] += starts_of_members_[size(m)];
    groups_.clear();
    for (Index m = 0; m < members(); ++m) {
      const Index end = starts_of_members_[size(m + 1)];
      for (Index first = starts_of_members_[size(m)]; first < end; first += lanes_) {
        groups_.push_back({problem_.elite_members[size(m)], first, std::min(lanes_, end - first)});
      }
    }
    for (Index i = 0; i < count; ++i) order_[size(starts_of_members_[size(choice_[size(i)])]++)] = running_[size(i)];
  }

  void ask_policy(Index t) {
    const auto count = static_cast<Index>(running_.size());
    for (Index i = 0; i < count; ++i) copy_state(order_[size(i)], t, batch_states_.data() + i * state_dim_);
    problem_.batch_policy->act(batch_states_.data(), count, batch_actions_.data());
    for (Index i = 0; i < count * action_dim_; ++i) {
      const double value = batch_actions_[size(i)];
      if (!is_finite_float32(value)) throw_value_error("policy", "an action of " + text_of(value), "a finite float32");
    }
  }

  // The state before step t, exactly as it was given where it is a start.
  void copy_state(Index rollout, Index t, double* out) const {
    const T* const held = states_.data() + rollout * state_dim_;
    const double* const start = rows_.starts + rollout * state_dim_;
    for (Index i = 0; i < state_dim_; ++i) out[i] = t == 0 ? start[i] : static_cast<double>(held[i]);
  }

  // Rows of `all` (rollouts, dim) in the order of a group, as a block.
  Block<T> gathered(const Numbers& all, Index dim, const Group& group, Workspace& workspace) const {
    const Block<T> block = workspace.take_block<T>(dim, padded_lanes<T>(group.count));
    const Workspace::Scope scope(workspace);
    T* const packed = workspace.take<T>(dim * group.count);
    for (Index k = 0; k < group.count; ++k) {
      std::copy_n(all.data() + order_[size(group.first + k)] * dim, dim, packed + k * dim);
    }
    rows_to_block(packed, dim, group.count, block);
    return block;
  }

  void step(const Group& group, Index t, Workspace& workspace) {
    const Workspace::Scope scope(workspace);
    const Index lanes = padded_lanes<T>(group.count);
    StepView<T> view;
    const Block<T> state = gathered(states_, state_dim_, group, workspace);
    const Block<T> action = workspace.take_block<T>(action_dim_, lanes);
    choose(state, group, t, workspace, action);
    const Block<T> next = workspace.take_block<T>(problem_.dynamics->output_dim(), lanes);
    T* const reward = workspace.take<T>(lanes);
    T* const alive = workspace.take<T>(lanes);
    T* const disagreement = workspace.take<T>(lanes);
    std::fill_n(reward, lanes, T(0));
    std::fill_n(alive, lanes, T(1));
    std::fill_n(disagreement, lanes, T(0));
    if (problem_.disagreement_limit) problem_.dynamics->disagreement(state, action, workspace, disagreement);
    // A particle that keeps its member runs the member of its number.
    const Index all = problem_.dynamics->members();
    const Draw draw{stream(t), group.first, 0, Propagation::kTsInf, group.member, all, group.count};
    problem_.dynamics->step(state, action, draw, workspace, next);
    if (problem_.limits != nullptr) clip(next);
    view.state = state;
    view.action = action;
    const bool is_first = t == 0 && rows_.previous_actions == nullptr;
    view.previous_action = is_first ? action : gathered(actions_, action_dim_, group, workspace);
    view.next = next.rows(0, state_dim_);
    view.predicted = next.rows(state_dim_, next.dim - state_dim_);
    view.step = t;
    view.horizon = rows_.length;
    if (problem_.reward != nullptr) problem_.reward->add(view, workspace, reward);
    if (problem_.termination != nullptr) problem_.termination->mark(view, workspace, alive);
    for (Index k = 0; k < group.count; ++k) {
      const Index rollout = order_[size(group.first + k)];
      if (!is_within_limit(disagreement[k]) || !is_finite(view.next, reward[k], k)) {
        status_[size(rollout)] = RolloutStatus::kCut;
        continue;
      }
      if (alive[k] == T(0)) status_[size(rollout)] = RolloutStatus::kEnded;
      write(view, k, rollout, t, group.first + k);
      if (problem_.reward != nullptr) rows_.rewards[row(rollout, t)] = static_cast<double>(reward[k]);
      rows_.terminated[row(rollout, t)] = alive[k] == T(0);
      rows_.steps[rollout] = t + 1;
    }
  }

  void choose(ConstBlock<T> state, const Group& group, Index t, Workspace& workspace, Block<T> action) const {
    if (problem_.policy != nullptr) {
      problem_.policy->act(state, stream(t), group.first, workspace, action);
      return;
    }
    for (Index k = 0; k < action.lanes; ++k) {
      const double* const given = given_action(group.first + std::min(k, group.count - 1), t);
      for (Index i = 0; i < action_dim_; ++i) action.row(i)[k] = static_cast<T>(given[i]);
    }
  }

  // The action (A) of the rollout at a place of the order, where it does not come from a compiled policy.
  const double* given_action(Index place, Index t) const {
    if (problem_.batch_policy != nullptr) return batch_actions_.data() + place * action_dim_;
    return rows_.given_actions + row(order_[size(place)], t) * action_dim_;
  }

  void clip(Block<T> next) const {
    for (Index i = 0; i < state_dim_; ++i) {
      const T low = problem_.limits->low[size(i)];
      const T high = problem_.limits->high[size(i)];
      for (Index k = 0; k < next.lanes; ++k) next.row(i)[k] = std::min(std::max(next.row(i)[k], low), high);
    }
  }

  // A disagreement that is nan exceeds every limit.
  bool is_within_limit(T disagreement) const {
    return !problem_.disagreement_limit || static_cast<double>(disagreement) <= *problem_.disagreement_limit;
  }

  static bool is_finite(ConstBlock<T> next, T reward, Index lane) {
    bool finite = std::isfinite(reward);
    for (Index i = 0; i < next.dim; ++i) finite = finite && std::isfinite(next.row(i)[lane]);
    return finite;
  }

  void write(const StepView<T>& view, Index lane, Index rollout, Index t, Index place) {
    if (t > 0) copy_state(rollout, t, rows_.states + row(rollout, t) * state_dim_);
    const double* const given = problem_.policy != nullptr ? nullptr : given_action(place, t);
    for (Index i = 0; i < action_dim_; ++i) {
      const T value = view.action.row(i)[lane];
      actions_(rollout * action_dim_ + i) = value;
      rows_.actions[row(rollout, t) * action_dim_ + i] = given != nullptr ? given[i] : static_cast<double>(value);
    }
    for (Index i = 0; i < state_dim_; ++i) {
      const T value = view.next.row(i)[lane];
      states_(rollout * state_dim_ + i) = value;
      rows_.next_states[row(rollout, t) * state_dim_ + i] = static_cast<double>(value);
    }
  }

  void ask_termination(Index t) {
    Index count = 0;
    const auto kept = [&](const auto& use) {
      for (const Index rollout : running_) {
        if (status_[size(rollout)] == RolloutStatus::kRunning) use(rollout);
      }
    };
    kept([&](Index rollout) {
      std::copy_n(rows_.states + row(rollout, t) * state_dim_, state_dim_, batch_states_.data() + count * state_dim_);
      std::copy_n(rows_.actions + row(rollout, t) * action_dim_, action_dim_,
                  batch_actions_.data() + count * action_dim_);
      std::copy_n(rows_.next_states + row(rollout, t) * state_dim_, state_dim_,
                  batch_next_states_.data() + count * state_dim_);
      ++count;
    });
    if (count == 0) return;
    problem_.batch_termination->end(batch_states_.data(), batch_actions_.data(), batch_next_states_.data(), count,
                                    batch_ended_.get());
    count = 0;
    kept([&](Index rollout) {
      const bool ends = batch_ended_[size(count++)];
      rows_.terminated[row(rollout, t)] = ends;
      if (ends) status_[size(rollout)] = RolloutStatus::kEnded;
    });
  }

  const ImaginationProblemOf<T>& problem_;
  const ImaginedRows& rows_;
  Index state_dim_;
  Index action_dim_;
  Index lanes_;
  int threads_;
  Numbers states_;   // (rollouts, S) where each is
  Numbers actions_;  // (rollouts, A) what it did last
  std::vector<RolloutStatus> status_;
  std::vector<Index> running_;  // rollouts, in ascending order
  std::vector<Index> order_;    // the same, sorted by member
  std::vector<Index> choice_;
  std::vector<Index> starts_of_members_;
  std::vector<Group> groups_;
  std::vector<Workspace> workspaces_;
  std::vector<double> batch_states_;  // inputs and outputs of functions of whole batches
  std::vector<double> batch_actions_;
  std::vector<double> batch_next_states_;
  std::unique_ptr<bool[]> batch_ended_;
};

void require_finite_in_parallel(const char* name, const double* values, Index rows, Index columns, int threads) {
  if (values == nullptr) return;
  constexpr Index kValues = 8192;
  const Index count = rows * columns;
  std::atomic<bool> finite{true};
  parallel_for((count + kValues - 1) / kValues, threads, [&](Index slice, int /*thread*/) {
    const double* const last = values + std::min((slice + 1) * kValues, count);
    if (!std::all_of(values + slice * kValues, last, is_finite_float32)) finite = false;
  });
  if (finite) return;
  require_finite_float32(name, values, rows, columns);
}

template <class T>
void require_rows(const ImaginationProblemOf<T>& problem, const ImaginedRows& rows) {
  const Index state_dim = problem.dynamics->state_dim();
  const Index action_dim = problem.dynamics->action_dim();
  const bool policy_missing = problem.policy == nullptr && problem.batch_policy == nullptr;
  require_at_least("length", rows.length, 1);
  if (rows.count >= kMaxRollouts) throw_value_error("starts", text_of(rows.count) + " rows", "fewer than 2**31");
  if (policy_missing && rows.given_actions == nullptr) {
    throw_value_error("policy", "none", "a policy, or give the actions");
  }
  require_finite_in_parallel("starts", rows.starts, rows.count, state_dim, rows.threads);
  require_finite_in_parallel("actions", rows.given_actions, rows.count * rows.length, action_dim, rows.threads);
  require_finite_in_parallel("previous_actions", rows.previous_actions, rows.count, action_dim, rows.threads);
}

}  // namespace

template <class T>
void ImaginationProblemOf<T>::validate() const {
  const Index state_dim = dynamics->state_dim();
  const Index action_dim = dynamics->action_dim();
  if (policy != nullptr) {
    require_model_dims("policy", "one", {policy->state_dim(), policy->action_dim()}, {state_dim, action_dim});
  }
  if (reward != nullptr) {
    reward->require_dims(state_dim, action_dim);
    if (reward->needs_prediction() && dynamics->output_dim() == state_dim) {
      throw ValueError("reward: predicted by the model, but this model predicts no rewards; fit one that does");
    }
    if (reward->use_of_step() >= UseOfStep::kNeedsStep) {
      throw ValueError(
          "reward: changes from step to step; imagined rollouts need one that does not, as they start anywhere");
    }
  }
  if (termination != nullptr) termination->require_dims(state_dim, action_dim);
  if (elite_members.empty()) throw_value_error("elite_members", "none", "at least one member");
  for (const Index elite : elite_members) {
    if (elite >= 0 && elite < dynamics->members()) continue;
    throw_value_error("elite_members", "member " + text_of(elite), "from 0 to " + text_of(dynamics->members() - 1));
  }
  if (disagreement_limit) DisagreementLimit{*disagreement_limit, OnExceeding::kStop}.validate();
}

template <class T>
void imagine(const ImaginationProblemOf<T>& problem, const ImaginedRows& rows) {
  problem.validate();
  require_rows(problem, rows);
  if (rows.count == 0) return;
  Run<T>(problem, rows).run();
}

template struct ImaginationProblemOf<float>;
template struct ImaginationProblemOf<double>;
template void imagine(const ImaginationProblem&, const ImaginedRows&);
template void imagine(const ExactImaginationProblem&, const ImaginedRows&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/rollout/score_steps.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The rows of a batch in the order they are visited: those of one step side by side.
class VisitOrder {
 public:
  VisitOrder(const StepBatch& batch, bool by_step) : steps_(by_step ? batch.steps : nullptr), count_(batch.count) {
    if (steps_ == nullptr) return;
    rows_.resize(static_cast<std::size_t>(count_));
    std::iota(rows_.begin(), rows_.end(), Index{0});
    for (const Index row : rows_) {
      require_at_least("steps", steps_[row], 0);
    }
    std::stable_sort(rows_.begin(), rows_.end(), [this](Index a, Index b) { return steps_[a] < steps_[b]; });
  }

  bool is_given() const { return steps_ == nullptr; }
  Index row(Index place) const { return is_given() ? place : rows_[static_cast<std::size_t>(place)]; }
  Index step(Index place) const { return is_given() ? 0 : static_cast<Index>(steps_[row(place)]); }
  // How many rows from `place` on are of its step, at most a block of them.
  Index alike(Index place) const {
    const Index max_count = std::min(kMaxLanes, count_ - place);
    if (is_given()) return max_count;
    Index count = 1;
    while (count < max_count && step(place + count) == step(place)) ++count;
    return count;
  }

 private:
  const std::int64_t* steps_;
  Index count_;
  std::vector<Index> rows_;
};

// The rows of `all` (count, dim) that are visited from `place` on, as a block.
Block<double> load(const double* all, Index dim, const VisitOrder& order, Index place, Index count,
                   Workspace& workspace) {
  const Block<double> block = workspace.take_block<double>(dim, padded_lanes<double>(count));
  if (order.is_given()) {
    rows_to_block(all + place * dim, dim, count, block);
    return block;
  }
  const Workspace::Scope scope(workspace);
  double* const rows = workspace.take<double>(count * dim);
  for (Index k = 0; k < count; ++k) std::copy_n(all + order.row(place + k) * dim, dim, rows + k * dim);
  rows_to_block(rows, dim, count, block);
  return block;
}

// Calls `visit(view, workspace, place, count)` for each block of steps, laid out in lanes.
template <class Visit>
void for_each_block(const StepBatch& batch, const VisitOrder& order, std::size_t visit_bytes, const Visit& visit) {
  Workspace workspace;
  workspace.reserve(3 * Workspace::bytes<double>(batch.state_dim * kMaxLanes) +
                    3 * Workspace::bytes<double>(batch.action_dim * kMaxLanes) + Workspace::bytes<double>(kMaxLanes) +
                    visit_bytes);
  for (Index place = 0; place < batch.count;) {
    if (batch.interrupt != nullptr && batch.interrupt->requested()) return;
    const Workspace::Scope scope(workspace);
    const Index count = order.alike(place);
    const auto block = [&](const double* rows, Index dim) { return load(rows, dim, order, place, count, workspace); };
    StepView<double> view;
    view.state = block(batch.states, batch.state_dim);
    view.action = block(batch.actions, batch.action_dim);
    view.next = block(batch.next_states, batch.state_dim);
    view.previous_action = view.action;
    if (batch.previous_actions != nullptr) view.previous_action = block(batch.previous_actions, batch.action_dim);
    view.step = order.step(place);
    view.horizon = batch.horizon;
    visit(view, workspace, place, count);
    place += count;
  }
}

void require_known(const Reward<double>& reward, const StepBatch& batch) {
  if (reward.needs_prediction()) {
    throw ValueError(
        "reward: predicted by the model, so only a rollout can score it; score no single steps by it and use no "
        "termination or constraint that is a Python function");
  }
  const UseOfStep use = reward.use_of_step();
  if (use >= UseOfStep::kNeedsStep && batch.steps == nullptr) {
    throw_value_error("steps", "none", "the step of each row: the reward changes from step to step");
  }
  if (use == UseOfStep::kNeedsHorizon && batch.horizon < 1) {
    throw_value_error("horizon", "none", "the number of steps: the reward has a term of the last one");
  }
}

}  // namespace

void score_steps(const Reward<double>& reward, const StepBatch& batch, double* rewards) {
  reward.require_dims(batch.state_dim, batch.action_dim);
  require_known(reward, batch);
  const VisitOrder order(batch, reward.use_of_step() != UseOfStep::kNone);
  for_each_block(batch, order, reward.workspace_bytes(kMaxLanes),
                 [&](const StepView<double>& view, Workspace& workspace, Index place, Index count) {
                   double* const total = workspace.take<double>(view.state.lanes);
                   std::fill_n(total, view.state.lanes, 0.0);
                   reward.add(view, workspace, total);
                   for (Index k = 0; k < count; ++k) rewards[order.row(place + k)] = total[k];
                 });
}

void end_steps(const Termination<double>& termination, const StepBatch& batch, bool* ended) {
  termination.require_dims(batch.state_dim, batch.action_dim);
  const VisitOrder order(batch, termination.uses_step());
  for_each_block(batch, order, termination.workspace_bytes(kMaxLanes),
                 [&](const StepView<double>& view, Workspace& workspace, Index place, Index count) {
                   double* const alive = workspace.take<double>(view.state.lanes);
                   std::fill_n(alive, view.state.lanes, 1.0);
                   termination.mark(view, workspace, alive);
                   for (Index k = 0; k < count; ++k) ended[order.row(place + k)] = alive[k] == 0.0;
                 });
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

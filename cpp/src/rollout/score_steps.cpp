#include "dynaplan/rollout/score_steps.hpp"

#include <algorithm>

#include "dynaplan/core/error.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// Calls `visit(view, workspace, first, count)` for each block of steps, laid out in lanes.
template <class Visit>
void for_each_block(const StepBatch& batch, std::size_t visit_bytes, const Visit& visit) {
  Workspace workspace;
  workspace.reserve(2 * Workspace::bytes<double>(batch.state_dim * kMaxLanes) +
                    2 * Workspace::bytes<double>(batch.action_dim * kMaxLanes) + Workspace::bytes<double>(kMaxLanes) +
                    visit_bytes);
  const auto load = [&](const double* rows, Index dim, Index first, Index count) {
    const Block<double> block = workspace.take_block<double>(dim, padded_lanes<double>(count));
    rows_to_block(rows + first * dim, dim, count, block);
    return block;
  };
  for (Index first = 0; first < batch.count; first += kMaxLanes) {
    const Workspace::Scope scope(workspace);
    const Index count = std::min(kMaxLanes, batch.count - first);
    StepView<double> view;
    view.state = load(batch.states, batch.state_dim, first, count);
    view.action = load(batch.actions, batch.action_dim, first, count);
    view.next = load(batch.next_states, batch.state_dim, first, count);
    view.previous_action = batch.previous_actions != nullptr
                               ? ConstBlock<double>(load(batch.previous_actions, batch.action_dim, first, count))
                               : view.action;
    visit(view, workspace, first, count);
  }
}

}  // namespace

void score_steps(const Reward<double>& reward, const StepBatch& batch, double* rewards) {
  reward.require_dims(batch.state_dim, batch.action_dim);
  if (reward.needs_prediction()) {
    throw ValueError(
        "reward: pays what the model predicts, which only a rollout knows; must not be asked of single "
        "steps, nor go with a termination that is a Python function");
  }
  for_each_block(batch, reward.workspace_bytes(kMaxLanes),
                 [&](const StepView<double>& view, Workspace& workspace, Index first, Index count) {
                   double* const total = workspace.take<double>(view.state.lanes);
                   std::fill_n(total, view.state.lanes, 0.0);
                   reward.add(view, workspace, total);
                   std::copy_n(total, count, rewards + first);
                 });
}

void end_steps(const Termination<double>& termination, const StepBatch& batch, bool* ended) {
  termination.require_dims(batch.state_dim);
  for_each_block(batch, 0, [&](const StepView<double>& view, Workspace& workspace, Index first, Index count) {
    double* const alive = workspace.take<double>(view.state.lanes);
    std::fill_n(alive, view.state.lanes, 1.0);
    termination.mark(view.state, view.action, view.next, alive);
    std::transform(alive, alive + count, ended + first, [](double value) { return value == 0.0; });
  });
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/models/network_prediction.hpp"

#include <algorithm>

#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

struct QueryBlock {
  Block<double> states;
  Block<double> actions;
  Index first;
  Index count;
};

// Calls `use` with every block of a query, turned, and scratch for `extra_rows` rows besides a step's.
template <class Use>
void for_blocks(const Dynamics<double>& dynamics, const NetworkQuery& query, int threads, Index extra_rows,
                const Use& use) {
  const Index state_dim = dynamics.state_dim();
  const Index action_dim = dynamics.action_dim();
  const Index blocks = (query.count + kMaxLanes - 1) / kMaxLanes;
  const Index most = padded_lanes<double>(std::min(kMaxLanes, query.count));
  std::vector<Workspace> workspaces(static_cast<std::size_t>(usable_threads(blocks, threads)));
  for (Workspace& workspace : workspaces) {
    workspace.reserve(Workspace::bytes<double>(state_dim * most) + Workspace::bytes<double>(action_dim * most) +
                      Workspace::bytes<double>(extra_rows * most) + dynamics.workspace_bytes(most));
  }
  parallel_for(blocks, static_cast<int>(workspaces.size()), [&](Index block, int thread) {
    Workspace& workspace = workspaces[static_cast<std::size_t>(thread)];
    const Workspace::Scope scope(workspace);
    const Index first = block * kMaxLanes;
    const Index count = std::min(kMaxLanes, query.count - first);
    const Index lanes = padded_lanes<double>(count);
    const QueryBlock view{workspace.take_block<double>(state_dim, lanes),
                          workspace.take_block<double>(action_dim, lanes), first, count};
    rows_to_block(query.states + first * state_dim, state_dim, count, view.states);
    rows_to_block(query.actions + first * action_dim, action_dim, count, view.actions);
    use(view, workspace);
  });
}

}  // namespace

void predict(const NetworkDynamics<double>& dynamics, const NetworkQuery& query, int threads,
             const NetworkMoments& out) {
  const Index state_dim = dynamics.state_dim();
  const Index targets = dynamics.output_dim();
  for_blocks(dynamics, query, threads, 3 * targets, [&](const QueryBlock& block, Workspace& workspace) {
    const Index lanes = block.states.lanes;
    const Block<double> mean = workspace.take_block<double>(targets, lanes);
    const Block<double> aleatoric = workspace.take_block<double>(targets, lanes);
    const Block<double> epistemic = workspace.take_block<double>(targets, lanes);
    dynamics.moments(block.states, block.actions, block.count, workspace, mean, aleatoric, epistemic);
    const auto write = [&](const Block<double>& moments, double* rows) {
      block_to_rows<double>(moments.rows(0, state_dim), block.count, rows + block.first * state_dim, state_dim);
    };
    write(mean, out.mean);
    write(aleatoric, out.aleatoric);
    write(epistemic, out.epistemic);
    if (out.reward != nullptr) std::copy_n(mean.row(state_dim), block.count, out.reward + block.first);
  });
}

void disagreement(const Dynamics<double>& dynamics, const NetworkQuery& query, int threads, double* out) {
  for_blocks(dynamics, query, threads, 1, [&](const QueryBlock& block, Workspace& workspace) {
    double* const apart = workspace.take<double>(block.states.lanes);
    dynamics.disagreement(block.states, block.actions, workspace, apart);
    std::copy_n(apart, block.count, out + block.first);
  });
}

void sample(const NetworkDynamics<double>& dynamics, const NetworkQuery& query, std::uint64_t seed, int threads,
            double* next) {
  const Index state_dim = dynamics.state_dim();
  const Index targets = dynamics.output_dim();
  Stream stream;
  stream.seed = seed;
  for_blocks(dynamics, query, threads, targets, [&](const QueryBlock& block, Workspace& workspace) {
    const Block<double> drawn = workspace.take_block<double>(targets, block.states.lanes);
    dynamics.sample(block.states, block.actions, stream, block.first, workspace, drawn);
    block_to_rows<double>(drawn.rows(0, state_dim), block.count, next + block.first * state_dim, state_dim);
  });
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

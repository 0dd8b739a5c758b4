#include "dynaplan/models/jacobians.hpp"

#include <algorithm>
#include <vector>

#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

struct JacobianSizes {
  Index state;
  Index action;
  Index lanes;

  std::size_t bytes() const {
    return 2 * Workspace::bytes<double>(state * lanes) + Workspace::bytes<double>(action * lanes) +
           Workspace::bytes<double>(state * state * lanes) + Workspace::bytes<double>(state * action * lanes);
  }
};

void run_block(const Dynamics<double>& dynamics, const JacobianBatch& batch, const JacobianSizes& sizes, Index first,
               Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  const Index count = std::min(sizes.lanes, batch.count - first);
  const Index lanes = padded_lanes<double>(count);
  const auto load = [&](const double* rows, Index dim) {
    const Block<double> block = workspace.take_block<double>(dim, lanes);
    rows_to_block(rows + first * dim, dim, count, block);
    return block;
  };
  const Block<double> states = load(batch.states, sizes.state);
  const Block<double> actions = load(batch.actions, sizes.action);
  const JacobianBlock<double> out{workspace.take_block<double>(sizes.state, lanes),
                                  workspace.take_block<double>(sizes.state * sizes.state, lanes),
                                  workspace.take_block<double>(sizes.state * sizes.action, lanes)};
  dynamics.jacobians(states, actions, workspace, out);
  const auto write = [&](const Block<double>& block, double* rows) {
    block_to_rows<double>(block, count, rows + first * block.dim, block.dim);
  };
  write(out.next, batch.next);
  write(out.state, batch.state);
  write(out.action, batch.action);
}

}  // namespace

void jacobians(const Dynamics<double>& dynamics, const JacobianBatch& batch) {
  // Fewer lanes than a rollout's: each brings S (S + A) numbers, which should stay in cache.
  constexpr Index kLanes = 16;
  const Index blocks = (batch.count + kLanes - 1) / kLanes;
  const JacobianSizes sizes{dynamics.state_dim(), dynamics.action_dim(),
                            padded_lanes<double>(std::min(kLanes, batch.count))};
  std::vector<Workspace> workspaces(static_cast<std::size_t>(usable_threads(blocks, batch.threads)));
  for (Workspace& workspace : workspaces) {
    workspace.reserve(sizes.bytes() + dynamics.jacobians_workspace_bytes(sizes.lanes));
  }
  parallel_for(blocks, static_cast<int>(workspaces.size()), [&](Index block, int thread) {
    run_block(dynamics, batch, sizes, block * kLanes, workspaces[static_cast<std::size_t>(thread)]);
  });
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

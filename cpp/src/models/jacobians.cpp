#include "dynaplan/models/jacobians.hpp"

#include <algorithm>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void jacobians(const Dynamics<double>& dynamics, const StepQuery& query, const Jacobians& out) {
  // Fewer lanes than a rollout's: each brings S (S + A) numbers, which should stay in cache.
  constexpr Index kLanes = 16;
  const Index state_dim = query.state_dim;
  const Index of_state = state_dim * state_dim;
  const Index of_action = state_dim * query.action_dim;
  const auto bytes = [&](Index lanes) {
    return Workspace::bytes<double>(state_dim * lanes) + Workspace::bytes<double>(of_state * lanes) +
           Workspace::bytes<double>(of_action * lanes) + dynamics.jacobians_workspace_bytes(lanes);
  };
  require_addressable("states", {query.count, query.state_dim, std::max(query.state_dim, query.action_dim)});
  for_blocks(query, kLanes, bytes, [&](const QueryBlock& block, Workspace& workspace) {
    const JacobianBlock<double> jacobians{workspace.take_block<double>(state_dim, block.lanes()),
                                          workspace.take_block<double>(of_state, block.lanes()),
                                          workspace.take_block<double>(of_action, block.lanes())};
    dynamics.jacobians(block.states, block.actions, workspace, jacobians);
    block.write(jacobians.next, out.next);
    block.write(jacobians.state, out.state);
    block.write(jacobians.action, out.action);
  });
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

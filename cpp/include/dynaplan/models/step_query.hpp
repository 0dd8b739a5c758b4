#pragma once

#include <algorithm>
#include <vector>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Steps that are asked of a model, as rows in memory.
struct StepQuery {
  const double* states = nullptr;   // (count, S)
  const double* actions = nullptr;  // (count, A)
  Index count = 0;
  Index state_dim = 0;
  Index action_dim = 0;
  int threads = 1;
  const Interrupt* interrupt = nullptr;  // between blocks; what is left out then stays as it was
};

/// Some steps of a query, transposed, one a lane; the lanes beyond `count` only fill up a vector.
struct QueryBlock {
  Block<double> states;   // (S, K)
  Block<double> actions;  // (A, K)
  Index first = 0;
  Index count = 0;

  Index lanes() const { return states.lanes; }

  /// Block (dim, K) to the rows of these steps in `all` (count, dim).
  void write(const Block<double>& block, double* all) const {
    block_to_rows<double>(block, count, all + first * block.dim, block.dim);
  }
};

/// Calls `use(block, workspace)` for a query cut into blocks of at most `max_lanes`; the workspace has `bytes(lanes)`
/// left. Throws ValueError first if a state or an action is not finite.
template <class Bytes, class Use>
void for_blocks(const StepQuery& query, Index max_lanes, const Bytes& bytes, const Use& use) {
  require_finite("states", query.states, query.count, query.state_dim);
  require_finite("actions", query.actions, query.count, query.action_dim);
  const Index blocks = (query.count + max_lanes - 1) / max_lanes;
  const Index widest = padded_lanes<double>(std::min(max_lanes, query.count));
  std::vector<Workspace> workspaces(static_cast<std::size_t>(usable_threads(blocks, query.threads)));
  for (Workspace& workspace : workspaces) {
    workspace.reserve(Workspace::bytes<double>(query.state_dim * widest) +
                      Workspace::bytes<double>(query.action_dim * widest) + bytes(widest));
  }
  const auto run = [&](Index index, int thread) {
    Workspace& workspace = workspaces[static_cast<std::size_t>(thread)];
    const Workspace::Scope scope(workspace);
    const Index first = index * max_lanes;
    const Index count = std::min(max_lanes, query.count - first);
    const Index lanes = padded_lanes<double>(count);
    const QueryBlock block{workspace.take_block<double>(query.state_dim, lanes),
                           workspace.take_block<double>(query.action_dim, lanes), first, count};
    rows_to_block(query.states + first * query.state_dim, query.state_dim, count, block.states);
    rows_to_block(query.actions + first * query.action_dim, query.action_dim, count, block.actions);
    use(block, workspace);
  };
  parallel_for(blocks, static_cast<int>(workspaces.size()), run, query.interrupt);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/rollout/policy.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void Policy::act(ConstBlock<double> state, const Stream& stream, Index first_candidate, Workspace& workspace,
                 Block<double> action) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = padded_lanes<float>(state.lanes);
  const Block<float> rounded = workspace.take_block<float>(state.dim, lanes);
  const Block<float> chosen = workspace.take_block<float>(action.dim, lanes);
  for (Index i = 0; i < state.dim; ++i) {
    for (Index k = 0; k < lanes; ++k) {
      rounded.row(i)[k] = static_cast<float>(state.row(i)[std::min(k, state.lanes - 1)]);
    }
  }
  act(rounded, stream, first_candidate, workspace, chosen);
  for (Index i = 0; i < action.dim; ++i) {
    std::transform(chosen.row(i), chosen.row(i) + action.lanes, action.row(i),
                   [](float value) { return static_cast<double>(value); });
  }
}

std::size_t Policy::bytes_in_either_type(Index lanes) const {
  const Index padded = padded_lanes<float>(lanes);
  return workspace_bytes(padded) + Workspace::bytes<float>(state_dim() * padded) +
         Workspace::bytes<float>(action_dim() * padded);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

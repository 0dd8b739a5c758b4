#include "dynaplan/models/network_prediction.hpp"

#include <algorithm>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// What a step takes, and `rows` rows besides.
auto bytes_of_step(const Dynamics<double>& dynamics, Index rows) {
  return [&dynamics, rows](Index lanes) {
    return Workspace::bytes<double>(rows * lanes) + dynamics.workspace_bytes(lanes);
  };
}

}  // namespace

void predict(const NetworkDynamics<double>& dynamics, const StepQuery& query, const NetworkMoments& out) {
  const Index targets = dynamics.output_dim();
  const auto use = [&](const QueryBlock& block, Workspace& workspace) {
    const Block<double> mean = workspace.take_block<double>(targets, block.lanes());
    const Block<double> aleatoric = workspace.take_block<double>(targets, block.lanes());
    const Block<double> epistemic = workspace.take_block<double>(targets, block.lanes());
    dynamics.moments(block.states, block.actions, block.count, workspace, mean, aleatoric, epistemic);
    block.write(mean.rows(0, query.state_dim), out.mean);
    block.write(aleatoric.rows(0, query.state_dim), out.aleatoric);
    block.write(epistemic.rows(0, query.state_dim), out.epistemic);
    if (out.reward != nullptr) std::copy_n(mean.row(query.state_dim), block.count, out.reward + block.first);
  };
  for_blocks(query, kMaxLanes, bytes_of_step(dynamics, 3 * targets), use);
}

void disagreement(const Dynamics<double>& dynamics, const StepQuery& query, double* out) {
  const auto use = [&](const QueryBlock& block, Workspace& workspace) {
    double* const apart = workspace.take<double>(block.lanes());
    dynamics.disagreement(block.states, block.actions, workspace, apart);
    std::copy_n(apart, block.count, out + block.first);
  };
  for_blocks(query, kMaxLanes, bytes_of_step(dynamics, 1), use);
}

void sample(const NetworkDynamics<double>& dynamics, const StepQuery& query, std::uint64_t seed, double* next) {
  const Index targets = dynamics.output_dim();
  Stream stream;
  stream.seed = seed;
  const auto use = [&](const QueryBlock& block, Workspace& workspace) {
    const Block<double> drawn = workspace.take_block<double>(targets, block.lanes());
    dynamics.sample(block.states, block.actions, stream, block.first, workspace, drawn);
    block.write(drawn.rows(0, query.state_dim), next);
  };
  for_blocks(query, kMaxLanes, bytes_of_step(dynamics, targets), use);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

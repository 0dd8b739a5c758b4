#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <string>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/rollout/linear_quadratic.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
bool all_finite(ConstBlock<T> block) {
  // x - x is 0 for what is finite and nan for the rest.
  for (Index first = 0; first < block.lanes; first += kMaxLanes) {
    const Index lanes = std::min(kMaxLanes, block.lanes - first);
    T sum[kMaxLanes] = {};
    for (Index i = 0; i < block.dim; ++i) {
      const T* const values = block.row(i) + first;
      for (Index k = 0; k < lanes; ++k) sum[k] += values[k] - values[k];
    }
    if (!std::all_of(sum, sum + lanes, [](T value) { return value == T(0); })) return false;
  }
  return true;
}

template <class T>
void throw_first_nonfinite(const char* name, const T* values, Index rows, Index columns) {
  for (Index row = 0; row < rows; ++row) {
    for (Index column = 0; column < columns; ++column) {
      if (!std::isfinite(values[row * columns + column])) {
        const std::string candidate = std::string(name) + ": candidate " + text_of(row) + ", entry ";
        throw ValueError(candidate + text_of(column) + " is " + text_of(values[row * columns + column]) +
                         ", must be finite");
      }
    }
  }
}

// Room for one block: its transposed inputs, its results, and what rollout_block takes itself.
template <class T>
struct BlockShape {
  Index lanes;
  Index state_dim;
  Index action_dim;
  Index horizon;
  Index particles;
  Index trajectory_rows;  // of all particles; 0 where no trajectory is kept

  BlockShape(const RolloutProblem<T>& problem, const RolloutBatch<T>& batch)
      : lanes(block_lanes(*problem.dynamics, batch.count)),
        state_dim(problem.dynamics->state_dim()),
        action_dim(problem.dynamics->action_dim()),
        horizon(batch.horizon),
        particles(problem.particles.count),
        trajectory_rows(batch.trajectories != nullptr ? particles * problem.trajectory_rows(horizon) : 0) {}

  std::size_t bytes(const RolloutProblem<T>& problem) const {
    return Workspace::bytes<T>(state_dim * lanes) + Workspace::bytes<T>(horizon * action_dim * lanes) +
           Workspace::bytes<T>(action_dim * lanes) + Workspace::bytes<T>(lanes) +
           Workspace::bytes<T>(trajectory_rows * lanes) + Workspace::bytes<T>(particles * lanes) +
           problem.workspace_bytes(lanes, trajectory_rows > 0);
  }
};

// The results of the block that begins with rollout `first`, from lanes to rows.
template <class T>
void write_results(const RolloutBatch<T>& batch, const BlockShape<T>& shape, const BlockRollout<T>& block, Index first,
                   Index count) {
  if (batch.totals != nullptr) std::copy_n(block.total, count, batch.totals + first);
  if (batch.steps_within_limit != nullptr) {
    block_to_rows<T>(block.steps_within_limit, count, batch.steps_within_limit + first * shape.particles,
                     shape.particles);
  }
  if (batch.trajectories == nullptr) return;
  const Index size = (shape.horizon + 1) * shape.state_dim;
  const Index rows = shape.trajectory_rows / shape.particles;
  for (Index p = 0; p < shape.particles; ++p) {
    block_to_rows<T>(block.trajectory.rows(p * rows, size), count,
                     batch.trajectories + (first * shape.particles + p) * size, shape.particles * size);
  }
}

// Returns false if an input is not finite.
template <class T>
bool run_block(const RolloutProblem<T>& problem, const RolloutBatch<T>& batch, const BlockShape<T>& shape, Index first,
               Workspace& workspace) {
  const Workspace::Scope scope(workspace);
  const Index count = std::min(shape.lanes, batch.count - first);
  const Index lanes = padded_lanes<T>(count);
  const Index action_size = shape.horizon * shape.action_dim;
  const Block<T> states = workspace.take_block<T>(shape.state_dim, lanes);
  const Block<T> actions = workspace.take_block<T>(action_size, lanes);
  rows_to_block(batch.one_state ? batch.states : batch.states + first * shape.state_dim,
                batch.one_state ? Index{0} : shape.state_dim, count, states);
  rows_to_block(batch.actions + first * action_size, action_size, count, actions);
  if (!all_finite<T>(states) || !all_finite<T>(actions)) return false;

  BlockRollout<T> block;
  block.initial_state = states;
  block.actions = actions;
  if (batch.last_action != nullptr) {
    const Block<T> last_action = workspace.take_block<T>(shape.action_dim, lanes);
    rows_to_block(batch.last_action, Index{0}, lanes, last_action);
    block.last_action = last_action;
  }
  block.stream = batch.stream;
  block.first_candidate = first;
  block.candidates = count;
  block.interrupt = batch.interrupt;
  if (batch.totals != nullptr) block.total = workspace.take<T>(lanes);
  if (batch.trajectories != nullptr) block.trajectory = workspace.take_block<T>(shape.trajectory_rows, lanes);
  if (batch.steps_within_limit != nullptr) block.steps_within_limit = workspace.take_block<T>(shape.particles, lanes);
  rollout_block(problem, block, workspace);
  write_results(batch, shape, block, first, count);
  return true;
}

// The coordinates cost some n^3 operations more than one step, and save of the order of n^2 in each.
template <class T>
bool pays_to_transform(const RolloutProblem<T>& problem, const RolloutBatch<T>& batch) {
  constexpr Index kStepsPerState = 4000;  // measured: equal at about half of that
  return batch.trajectories == nullptr && batch.count * batch.horizon >= kStepsPerState * problem.dynamics->state_dim();
}

}  // namespace

template <class T>
Index block_lanes(const Dynamics<T>& dynamics, Index count) {
  if (dynamics.max_lanes() > kMaxLanes) return padded_lanes<T>(std::min(count, dynamics.max_lanes()));
  // Four blocks at least, where there are enough rollouts, so that a few threads have something to share.
  constexpr Index kBlocks = 4;
  return std::clamp(padded_lanes<T>((count + kBlocks - 1) / kBlocks), kVectorLanes<T>, kMaxLanes);
}

template <class T>
void rollout(const RolloutProblem<T>& given, const RolloutBatch<T>& batch) {
  given.validate();
  RolloutProblem<T> problem = given;
  std::unique_ptr<const LinearQuadraticProblem<T>> linear_quadratic;
  if (pays_to_transform(given, batch)) linear_quadratic = LinearQuadraticProblem<T>::of(given);
  if (linear_quadratic) problem.cheaper = &linear_quadratic->problem();
  if (batch.count < 1) throw_shape_error("actions", "0 candidates", "at least 1");
  if (batch.horizon < 1) throw_shape_error("actions", "a horizon of 0 steps", "at least 1");
  require_addressable("actions, particles",
                      {std::max(batch.count, kMaxLanes), problem.particles.count, batch.horizon + 1,
                       std::max(problem.dynamics->state_dim(), problem.dynamics->action_dim())});
  if (batch.steps_within_limit != nullptr && !problem.disagreement_limit) {
    throw ValueError("steps_within_limit: needs a disagreement limit; set disagreement_limit");
  }
  const BlockShape<T> shape(problem, batch);
  const Index blocks = (batch.count + shape.lanes - 1) / shape.lanes;
  const int threads = usable_threads(blocks, batch.threads);
  std::vector<Workspace> workspaces(static_cast<std::size_t>(threads));
  for (Workspace& workspace : workspaces) workspace.reserve(shape.bytes(problem));
  std::atomic<bool> finite{true};
  parallel_for(blocks, threads, [&](Index block, int thread) {
    Workspace& workspace = workspaces[static_cast<std::size_t>(thread)];
    if (!run_block(problem, batch, shape, block * shape.lanes, workspace)) finite = false;
  });
  if (!finite) {
    throw_first_nonfinite("states", batch.states, batch.one_state ? 1 : batch.count, shape.state_dim);
    throw_first_nonfinite("actions", batch.actions, batch.count, shape.horizon * shape.action_dim);
  }
}

template Index block_lanes<float>(const Dynamics<float>&, Index);
template Index block_lanes<double>(const Dynamics<double>&, Index);
template void rollout<float>(const RolloutProblem<float>&, const RolloutBatch<float>&);
template void rollout<double>(const RolloutProblem<double>&, const RolloutBatch<double>&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

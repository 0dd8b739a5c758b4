#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dynaplan/core/rounding.hpp"
#include "dynaplan/core/transpose.hpp"
#include "dynaplan/rollout/imagination.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The largest part of how far a step moves that rounding may be.
constexpr double kMaxRounding = 1e-3;

// How large an entry of the state is, and by how much a step changes it at most.
struct Motion {
  double size = 0.0;
  double change = 0.0;

  void add(double before, double after) {
    size = std::max(size, std::abs(before));
    change = std::max(change, std::abs(after - before));
  }
  // What moves less than this is the same for the type.
  template <class T>
  bool is_resolved() const {
    return !(kErrorOfRounding<T> * size > kMaxRounding * change);
  }
};

// Where an entry is after a step, of an angle the short way round.
double end_of_step(double from, double to, double period) {
  return period > 0.0 ? from + short_way(to - from, period) : to;
}

// Calls `use` with the place of each transition that was made.
template <class Use>
void for_each_row(const ImaginedRows& rows, const Use& use) {
  for (Index n = 0; n < rows.count; ++n) {
    for (Index t = 0; t < rows.steps[n]; ++t) use(n * rows.length + t);
  }
}

// Some of the transitions that were made, predicted anew in float64: the motion of each entry.
std::vector<Motion> motion_in_float64(const ExactImaginationProblem& problem, const ImaginedRows& rows) {
  const Dynamics<double>& dynamics = *problem.dynamics;
  const Index state_dim = dynamics.state_dim();
  const Index action_dim = dynamics.action_dim();
  std::vector<double> states;
  std::vector<double> actions;
  for_each_row(rows, [&](Index row) {
    if (static_cast<Index>(states.size()) == kMaxLanes * state_dim) return;
    states.insert(states.end(), rows.states + row * state_dim, rows.states + (row + 1) * state_dim);
    actions.insert(actions.end(), rows.actions + row * action_dim, rows.actions + (row + 1) * action_dim);
  });
  const Index count = static_cast<Index>(states.size()) / state_dim;
  const Index lanes = padded_lanes<double>(count);
  Workspace workspace;
  workspace.reserve(Workspace::bytes<double>(state_dim * lanes) + Workspace::bytes<double>(action_dim * lanes) +
                    Workspace::bytes<double>(dynamics.output_dim() * lanes) + dynamics.workspace_bytes(lanes));
  const Block<double> state = workspace.take_block<double>(state_dim, lanes);
  const Block<double> action = workspace.take_block<double>(action_dim, lanes);
  const Block<double> next = workspace.take_block<double>(dynamics.output_dim(), lanes);
  rows_to_block<double>(states.data(), state_dim, count, state);
  rows_to_block<double>(actions.data(), action_dim, count, action);
  Draw draw;
  draw.candidates = count;
  dynamics.step(state, action, draw, workspace, next);
  std::vector<double> periods;
  assign_periods(dynamics.angles(), state_dim, periods);
  std::vector<Motion> motion(periods.size());
  for (std::size_t i = 0; i < motion.size(); ++i) {
    const double* const from = state.row(static_cast<Index>(i));
    const double* const to = next.row(static_cast<Index>(i));
    for (Index k = 0; k < count; ++k) motion[i].add(from[k], end_of_step(from[k], to[k], periods[i]));
  }
  return motion;
}

// Whether float32 tells the actions of a policy apart.
bool are_actions_resolved(Index action_dim, const ImaginedRows& rows) {
  for (Index i = 0; i < action_dim; ++i) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    double low = kInfinity;
    double high = -kInfinity;
    for_each_row(rows, [&](Index row) {
      low = std::min(low, rows.actions[row * action_dim + i]);
      high = std::max(high, rows.actions[row * action_dim + i]);
    });
    const Motion motion{std::max(std::abs(low), std::abs(high)), high - low};
    if (motion.change > 0.0 && !motion.is_resolved<float>()) return false;
  }
  return true;
}

// Whether float32 told how far the steps that were made move each entry of the state.
bool is_resolved(const ExactImaginationProblem& exact, const ImaginedRows& rows) {
  const Index state_dim = exact.dynamics->state_dim();
  std::vector<double> periods;
  assign_periods(exact.dynamics->angles(), state_dim, periods);
  std::vector<Motion> motion(periods.size());
  for_each_row(rows, [&](Index row) {
    const double* const from = rows.states + row * state_dim;
    const double* const to = rows.next_states + row * state_dim;
    for (std::size_t i = 0; i < motion.size(); ++i) motion[i].add(from[i], end_of_step(from[i], to[i], periods[i]));
  });
  const auto is_unclear = [](const Motion& entry) { return !entry.is_resolved<float>(); };
  if (std::none_of(motion.begin(), motion.end(), is_unclear)) return true;
  const std::vector<Motion> exactly = motion_in_float64(exact, rows);
  for (std::size_t i = 0; i < motion.size(); ++i) {
    // What does not move for float64 either is a constant.
    if (is_unclear(motion[i]) && is_unclear(exactly[i]) && exactly[i].is_resolved<double>()) return false;
  }
  return true;
}

}  // namespace

void imagine_at_needed_precision(const ImaginationProblem& problem, const ExactImaginationProblem& exact,
                                 const ImaginedRows& rows) {
  imagine(problem, rows);
  if (rows.interrupt != nullptr && rows.interrupt->requested()) return;
  if (problem.dynamics->is_float32()) return;
  if (are_actions_resolved(exact.dynamics->action_dim(), rows) && is_resolved(exact, rows)) return;
  imagine(exact, rows);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

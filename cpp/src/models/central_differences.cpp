#include "dynaplan/models/central_differences.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The lanes of a block again and again side by side: as they are, then for each input once above and once below.
template <class T>
struct MovedLanes {
  Index lanes;
  Index inputs;

  Index all() const { return lanes * (1 + 2 * inputs); }
  Index above(Index input) const { return lanes * (1 + 2 * input); }
  Index below(Index input) const { return lanes * (2 + 2 * input); }

  // Copies `from`, whose rows are the inputs from `first` on, and moves each.
  void fill(ConstBlock<T> from, Index first, Block<T> out) const {
    const T relative = std::cbrt(std::numeric_limits<T>::epsilon());
    for (Index i = 0; i < from.dim; ++i) {
      const T* const value = from.row(i);
      for (Index copy = 0; copy < all(); copy += lanes) std::copy_n(value, lanes, out.row(i) + copy);
      T* const up = out.row(i) + above(first + i);
      T* const down = out.row(i) + below(first + i);
      for (Index k = 0; k < lanes; ++k) {
        const T move = relative * std::max(std::abs(value[k]), T(1));
        up[k] = value[k] + move;
        down[k] = value[k] - move;
      }
    }
  }

  // The derivatives of `next` by the inputs of `moved`, row d * inputs + i of `out` for entry d by input i.
  void divide(ConstBlock<T> next, ConstBlock<T> moved, Index first, const Angles* angles, Block<T> out) const {
    for (Index d = 0; d < next.dim; ++d) {
      for (Index i = 0; i < moved.dim; ++i) {
        const Index up = above(first + i);
        const Index down = below(first + i);
        T* const slope = out.row(d * moved.dim + i);
        for (Index k = 0; k < lanes; ++k) slope[k] = next.row(d)[up + k] - next.row(d)[down + k];
        go_short_way(angles, d, slope);
        // The inputs' own difference: it is not twice the move to the last digit.
        for (Index k = 0; k < lanes; ++k) slope[k] /= moved.row(i)[up + k] - moved.row(i)[down + k];
      }
    }
  }

  void go_short_way(const Angles* angles, Index entry, T* difference) const {
    if (angles == nullptr) return;
    for (const Angle& angle : *angles) {
      if (angle.state != entry) continue;
      for (Index k = 0; k < lanes; ++k) difference[k] = static_cast<T>(short_way(difference[k], angle.period));
    }
  }
};

}  // namespace

template <class T>
std::size_t central_differences_bytes(const Dynamics<T>& dynamics, Index lanes) {
  const Index state_dim = dynamics.state_dim();
  const Index action_dim = dynamics.action_dim();
  const Index all = MovedLanes<T>{lanes, state_dim + action_dim}.all();
  return Workspace::bytes<T>(state_dim * all) + Workspace::bytes<T>(action_dim * all) +
         Workspace::bytes<T>(dynamics.output_dim() * all) + dynamics.workspace_bytes(all);
}

template <class T>
void central_differences(const Dynamics<T>& dynamics, ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                         JacobianBlock<T> out) {
  const Workspace::Scope scope(workspace);
  const MovedLanes<T> moved{state.lanes, state.dim + action.dim};
  const Block<T> states = workspace.take_block<T>(state.dim, moved.all());
  const Block<T> actions = workspace.take_block<T>(action.dim, moved.all());
  const Block<T> next = workspace.take_block<T>(dynamics.output_dim(), moved.all());
  moved.fill(state, 0, states);
  moved.fill(action, state.dim, actions);
  dynamics.step(states, actions, Draw(), workspace, next);
  const ConstBlock<T> next_states = next.rows(0, state.dim);
  for (Index d = 0; d < state.dim; ++d) std::copy_n(next.row(d), state.lanes, out.next.row(d));
  moved.divide(next_states, states, 0, dynamics.angles(), out.state);
  moved.divide(next_states, actions, state.dim, dynamics.angles(), out.action);
}

template std::size_t central_differences_bytes<float>(const Dynamics<float>&, Index);
template std::size_t central_differences_bytes<double>(const Dynamics<double>&, Index);
template void central_differences<float>(const Dynamics<float>&, ConstBlock<float>, ConstBlock<float>, Workspace&,
                                         JacobianBlock<float>);
template void central_differences<double>(const Dynamics<double>&, ConstBlock<double>, ConstBlock<double>, Workspace&,
                                          JacobianBlock<double>);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

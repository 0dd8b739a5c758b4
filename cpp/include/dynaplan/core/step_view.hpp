#pragma once

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What a reward or a termination may look at in one step of a block. `previous_action` is the action one step
/// earlier; at step 0 the one applied last, or `action` itself where there was none.
template <class T>
struct StepView {
  ConstBlock<T> state;
  ConstBlock<T> action;
  ConstBlock<T> previous_action;
  ConstBlock<T> next;
  ConstBlock<T> predicted;  // what the model predicts of the step besides: its reward, or no rows
  Index step = 0;
  Index horizon = 0;  // steps in all
};

/// The same step without the first entries of its states.
template <class T>
StepView<T> later_states(StepView<T> view, Index first) {
  view.state = view.state.rows(first, view.state.dim - first);
  view.next = view.next.rows(first, view.next.dim - first);
  return view;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

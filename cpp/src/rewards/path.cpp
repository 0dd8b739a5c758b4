#include "dynaplan/rewards/path.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
PathError<T>::PathError(const EntryPath& path, double weight, At at)
    : path_(path), weight_(static_cast<T>(weight)), at_(at) {
  require_finite("weight", weight);
}

template <class T>
void PathError<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const Workspace::Scope scope(workspace);
  T* const squared = workspace.take<T>(view.next.lanes);
  path_.nearest(at_ == At::kState ? view.state : view.next, workspace, squared, nullptr);
  for (Index k = 0; k < view.next.lanes; ++k) total[k] -= weight_ * squared[k];
}

// Along a line the nearest point moves with the state, so that the distance does not change.
template <class T>
void PathError<T>::expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const {
  const Workspace::Scope scope(workspace);
  const Index first = step.state(at_);
  const PathPlace<T> place = path_.nearest(step.values + first, workspace);
  const std::vector<Index>& entries = path_.entries();
  out.value -= weight_ * place.distance * place.distance;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    out.gradient[first + entries[i]] -= T(2) * weight_ * place.gap[i];
    for (std::size_t j = 0; j < entries.size(); ++j) {
      const T along = place.is_within ? place.direction[i] * place.direction[j] : T(0);
      out.second(first + entries[i], first + entries[j]) -= T(2) * weight_ * ((i == j ? T(1) : T(0)) - along);
    }
  }
}

template <class T>
PathProgress<T>::PathProgress(const EntryPath& path, double weight) : path_(path), weight_(static_cast<T>(weight)) {
  require_finite("weight", weight);
}

template <class T>
void PathProgress<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = view.next.lanes;
  T* const squared = workspace.take<T>(lanes);
  T* const before = workspace.take<T>(lanes);
  T* const after = workspace.take<T>(lanes);
  path_.nearest(view.state, workspace, squared, before);
  path_.nearest(view.next, workspace, squared, after);
  for (Index k = 0; k < lanes; ++k) total[k] += weight_ * (after[k] - before[k]);
}

template <class T>
void PathProgress<T>::expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const {
  for (const At at : {At::kState, At::kNextState}) {
    const Workspace::Scope scope(workspace);
    const Index first = step.state(at);
    const T factor = at == At::kNextState ? weight_ : -weight_;
    const PathPlace<T> place = path_.nearest(step.values + first, workspace);
    out.value += factor * place.length;
    for (std::size_t i = 0; place.is_within && i < path_.entries().size(); ++i) {
      out.gradient[first + path_.entries()[i]] += factor * place.direction[i];
    }
  }
}

template class PathError<float>;
template class PathError<double>;
template class PathProgress<float>;
template class PathProgress<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/rewards/path_clearance.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
PathClearance<T>::PathClearance(const EntryPath& path, double radius, const Clearance& clearance, At at)
    : path_(path),
      radius_(static_cast<T>(radius)),
      sign_(static_cast<T>(clearance.sign())),
      margin_(static_cast<T>(clearance.margin)),
      at_(at) {
  require_not_negative("radius", radius);
  require_not_negative("margin", clearance.margin);
}

template <class T>
void PathClearance<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = view.next.lanes;
  T* const squared = workspace.take<T>(lanes);
  path_.nearest(at_ == At::kState ? view.state : view.next, workspace, squared, nullptr);
  Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::AlignedMax>(total, lanes) +=
      sign_ * (lanes_of<T>(squared, lanes).sqrt() - radius_) + margin_;
}

template <class T>
std::size_t PathClearance<T>::expansion_bytes(Index /*variables*/) const {
  return path_.place_bytes() + Workspace::bytes<Index>(static_cast<Index>(path_.entries().size()));
}

template <class T>
void PathClearance<T>::expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const {
  const Workspace::Scope scope(workspace);
  const Index first = step.state(at_);
  const PathPlace<T> place = path_.nearest(step.values + first, workspace);
  out.value += sign_ * (place.distance - radius_) + margin_;
  if (!(place.distance > T(0))) return;
  const auto count = static_cast<Index>(path_.entries().size());
  auto* const entries = workspace.take<Index>(count);
  for (Index i = 0; i < count; ++i) entries[i] = first + path_.entries()[static_cast<std::size_t>(i)];
  add_length<T>(entries, place.gap, place.is_within ? place.direction : nullptr, count, place.distance, sign_, out);
}

template class PathClearance<float>;
template class PathClearance<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

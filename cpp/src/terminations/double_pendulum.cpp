#include "dynaplan/terminations/double_pendulum.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
void DoublePendulumFallen<T>::mark(const StepView<T>& view, Workspace& /*workspace*/, T* alive) const {
  for (Index k = 0; k < view.next.lanes; ++k) {
    const bool upright = tip_position(links_, view.next, k).height > T(1);
    alive[k] = upright ? alive[k] : T(0);
  }
}

template class DoublePendulumFallen<float>;
template class DoublePendulumFallen<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

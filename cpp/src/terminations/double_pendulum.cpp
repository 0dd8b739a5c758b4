#include "dynaplan/terminations/double_pendulum.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
void DoublePendulumFallen<T>::mark(ConstBlock<T> /*state*/, ConstBlock<T> /*action*/, ConstBlock<T> next,
                                   T* alive) const {
  for (Index k = 0; k < next.lanes; ++k) {
    const bool upright = tip_position(links_, next, k).height > T(1);
    alive[k] = upright ? alive[k] : T(0);
  }
}

template class DoublePendulumFallen<float>;
template class DoublePendulumFallen<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

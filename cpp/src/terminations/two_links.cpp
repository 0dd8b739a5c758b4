#include "dynaplan/terminations/two_links.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
TwoLinksWithin<T>::TwoLinksWithin(const TwoLinks& links, double reach) : links_(links), reach_(static_cast<T>(reach)) {
  require_finite("reach", reach);
}

template <class T>
void TwoLinksWithin<T>::mark(const StepView<T>& view, Workspace& /*workspace*/, T* alive) const {
  for (Index k = 0; k < view.next.lanes; ++k) {
    const bool continues = tip_position(links_, view.next, k).along > reach_;
    alive[k] = continues ? alive[k] : T(0);
  }
}

template class TwoLinksWithin<float>;
template class TwoLinksWithin<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

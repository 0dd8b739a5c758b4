#include "dynaplan/rewards/predicted.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
std::size_t PredictedReward<T>::workspace_bytes(Index /*lanes*/) const {
  return 0;
}

template <class T>
void PredictedReward<T>::add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const {
  const T* const reward = view.predicted.row(0);
  for (Index k = 0; k < view.predicted.lanes; ++k) total[k] += reward[k];
}

// Any states and actions do; whether the model predicts a reward is asked by needs_prediction.
template <class T>
void PredictedReward<T>::require_dims(Index /*state_dim*/, Index /*action_dim*/) const {}

template class PredictedReward<float>;
template class PredictedReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/fit/robust_square.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/networks/network_loss.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
double robust_square(const T* errors, Index count) {
  constexpr int kIterations = 200;
  constexpr double kConverged = 1e-6;
  const auto mean_up_to = [&](double limit) {
    double sum = 0.0;
    for (Index i = 0; i < count; ++i) {
      const auto error = static_cast<double>(errors[i]);
      sum += std::min(error * error, limit);
    }
    return sum / static_cast<double>(count);
  };
  // From above: each pass makes it smaller.
  double square = mean_up_to(HUGE_VAL);
  for (int i = 0; i < kIterations; ++i) {
    const double next = mean_up_to(kHuberCutoff * kHuberCutoff * square) / kHuberSquare;
    const bool is_converged = std::abs(next - square) <= kConverged * square;
    square = next;
    if (is_converged) break;
  }
  return square;
}

template double robust_square<float>(const float*, Index);
template double robust_square<double>(const double*, Index);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

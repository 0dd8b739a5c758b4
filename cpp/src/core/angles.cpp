#include "dynaplan/core/angles.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void validate(const Angles& angles, Index state_dim) {
  Index previous = -1;
  for (const Angle& angle : angles) {
    if (angle.state <= previous || angle.state >= state_dim) {
      throw_value_error("angles", text_of(angle.state), "states from 0 to " + text_of(state_dim - 1) + ", ascending");
    }
    previous = angle.state;
    const double range = angle.high - angle.low;
    const bool fits = std::isinf(range) || std::abs(range - angle.period) <= 1e-12 * angle.period;
    if (!(angle.period > 0.0) || !std::isfinite(angle.period) || !fits) {
      throw_value_error("angles", "a period of " + text_of(angle.period),
                        "finite, above 0 and the length of the range");
    }
  }
}

void assign_periods(const Angles* angles, Index state_dim, std::vector<double>& periods) {
  periods.assign(static_cast<std::size_t>(state_dim), 0.0);
  if (angles == nullptr) return;
  for (const Angle& angle : *angles) periods[static_cast<std::size_t>(angle.state)] = angle.period;
}

template <class T>
void wrap(const Angles& angles, Block<T> states) {
  for (const Angle& angle : angles) {
    if (!angle.is_wrapped()) continue;
    const auto low = static_cast<T>(angle.low);
    const auto high = static_cast<T>(angle.high);
    const auto period = static_cast<T>(angle.period);
    T* const value = states.row(angle.state);
    for (Index k = 0; k < states.lanes; ++k) {
      const T turned = value[k] - period * std::floor((value[k] - low) / period);
      // Rounding may leave it beyond an end.
      const T raised = turned < low ? low : turned;
      const T within = raised > high ? high : raised;
      value[k] = value[k] < low || value[k] > high ? within : value[k];
    }
  }
}

template void wrap<float>(const Angles&, Block<float>);
template void wrap<double>(const Angles&, Block<double>);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/agents/sac_networks.hpp"

#include <string>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

std::vector<Index> SacShape::sizes(Index inputs, Index outputs) const {
  std::vector<Index> all{inputs};
  all.insert(all.end(), hidden.begin(), hidden.end());
  all.push_back(outputs);
  return all;
}

void SacShape::validate() const {
  if (state_dim < 1) throw ShapeError("states: got " + std::to_string(state_dim) + " columns, must be at least 1");
  if (action_dim < 1) throw ShapeError("actions: got " + std::to_string(action_dim) + " columns, must be at least 1");
  constexpr Index kMaxUnits = Index{1} << 20;  // so that no product of two sizes overflows
  for (const Index units : hidden) {
    if (units >= 1 && units <= kMaxUnits) continue;
    throw ValueError("hidden: got a layer of " + std::to_string(units) + " units, must be from 1 to " +
                     std::to_string(kMaxUnits));
  }
}

template <class T>
SacNetworks<T>::SacNetworks(const SacShape& shape, std::uint64_t seed, double initial_temperature)
    : actor(shape.actor_sizes(), false, seed, 0),
      critics{LearnedNetwork<T>(shape.critic_sizes(), true, seed, 1),
              LearnedNetwork<T>(shape.critic_sizes(), true, seed, 2)} {
  temperature.logarithm = std::log(initial_temperature);
}

template struct SacNetworks<float>;
template struct SacNetworks<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

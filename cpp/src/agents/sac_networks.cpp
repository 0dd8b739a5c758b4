#include "dynaplan/agents/sac_networks.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

std::vector<Index> SacShape::sizes(Index inputs, Index outputs) const {
  std::vector<Index> all{inputs};
  all.insert(all.end(), hidden.begin(), hidden.end());
  all.push_back(outputs);
  return all;
}

void SacShape::validate() const {
  require_columns("states", state_dim);
  require_columns("actions", action_dim);
  constexpr Index kMaxUnits = Index{1} << 20;  // so that no product of two sizes overflows
  for (const Index units : hidden) require_in("hidden", units, 1, kMaxUnits);
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

#pragma once

#include "dynaplan/models/network_dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Transitions to predict, as rows in memory.
struct NetworkQuery {
  const double* states = nullptr;   // (count, S)
  const double* actions = nullptr;  // (count, A)
  Index count = 0;
};

/// Where the moments of the next states go, (count, S) each, and the mean reward, (count) or null.
struct NetworkMoments {
  double* mean = nullptr;
  double* aleatoric = nullptr;
  double* epistemic = nullptr;
  double* reward = nullptr;
};

/// See NetworkDynamics::moments.
void predict(const NetworkDynamics<double>& dynamics, const NetworkQuery& query, int threads,
             const NetworkMoments& out);

/// How far the members' means lie apart, (count): see Dynamics::disagreement.
void disagreement(const Dynamics<double>& dynamics, const NetworkQuery& query, int threads, double* out);

/// Next states (count, S), each row a draw of its own: see NetworkDynamics::sample.
void sample(const NetworkDynamics<double>& dynamics, const NetworkQuery& query, std::uint64_t seed, int threads,
            double* next);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

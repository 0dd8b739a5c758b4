#pragma once

#include "dynaplan/models/network_dynamics.hpp"
#include "dynaplan/models/step_query.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Where the moments of the next states go, (count, S) each, and the mean reward, (count) or null.
struct NetworkMoments {
  double* mean = nullptr;
  double* aleatoric = nullptr;
  double* epistemic = nullptr;
  double* reward = nullptr;
};

/// See NetworkDynamics::moments.
void predict(const NetworkDynamics<double>& dynamics, const StepQuery& query, const NetworkMoments& out);

/// How far the members' means lie apart, (count): see Dynamics::disagreement.
void disagreement(const Dynamics<double>& dynamics, const StepQuery& query, double* out);

/// Next states (count, S), each row a draw of its own: see NetworkDynamics::sample.
void sample(const NetworkDynamics<double>& dynamics, const StepQuery& query, std::uint64_t seed, double* next);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

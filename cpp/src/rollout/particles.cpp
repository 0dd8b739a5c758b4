#include "dynaplan/rollout/particles.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The mean of the worst `share` of the returns; a return of which only a part belongs to them counts by that part.
template <class T>
T mean_of_worst(double share, T* returns, Index count) {
  const double wanted = share * static_cast<double>(count);
  const auto whole = static_cast<Index>(wanted);
  if (whole < 1) return *std::min_element(returns, returns + count);
  std::sort(returns, returns + count);
  T sum = T(0);
  for (Index i = 0; i < whole; ++i) sum += returns[i];
  const auto rest = static_cast<T>(wanted - static_cast<double>(whole));
  if (whole < count && rest > T(0)) sum += rest * returns[whole];
  return sum / static_cast<T>(wanted);
}

// Over the members, each weighing the same: particle p of P belongs to member p K / P.
template <class T>
T deviation_of_members(Index members, T mean, const T* returns, Index count) {
  const Index share = count / members;
  T squares = T(0);
  for (Index member = 0; member < members; ++member) {
    T sum = T(0);
    for (Index i = 0; i < share; ++i) sum += returns[member * share + i];
    const T difference = sum / static_cast<T>(share) - mean;
    squares += difference * difference;
  }
  return std::sqrt(squares / static_cast<T>(members));
}

}  // namespace

void Particles::validate() const {
  require_at_least("particles", count, 1);
  require(propagation != Propagation::kMean || count == 1, "particles", count,
          "1 with propagation 'mean', where all particles are the same");
  require(propagation != Propagation::kMoment || count >= 2, "particles", count,
          "at least 2 with propagation 'moment', which takes their variance");
  if (risk.reduction == Reduction::kCvar) require_positive_fraction("fraction", risk.parameter);
  if (risk.reduction != Reduction::kEpistemicPenalty) return;
  require_not_negative("multiple", risk.parameter);
  if (propagation != Propagation::kTsInf) {
    throw ValueError("propagation: must be 'tsinf' for an epistemic penalty, so that a particle keeps its member");
  }
}

void Particles::require_members(Index members) const {
  if (risk.reduction != Reduction::kEpistemicPenalty) return;
  if (members < 2) {
    throw ValueError("risk: an epistemic penalty needs an ensemble; the model has one member");
  }
  if (count % members != 0) {
    throw_value_error("particles", text_of(count),
                      "a multiple of the model's " + text_of(members) + " members for an epistemic penalty");
  }
}

Propagation propagation_of(const std::string& name) {
  if (name == "mean") return Propagation::kMean;
  if (name == "sample") return Propagation::kSample;
  if (name == "ts1") return Propagation::kTs1;
  if (name == "tsinf") return Propagation::kTsInf;
  if (name == "moment") return Propagation::kMoment;
  throw_value_error("propagation", text_of(name), "'mean', 'sample', 'ts1', 'tsinf' or 'moment'");
}

Reduction reduction_of(const std::string& name) {
  if (name == "mean") return Reduction::kMean;
  if (name == "cvar") return Reduction::kCvar;
  if (name == "worst") return Reduction::kWorst;
  if (name == "epistemic_penalty") return Reduction::kEpistemicPenalty;
  throw_value_error("reduction", text_of(name), "'mean', 'cvar', 'worst' or 'epistemic_penalty'");
}

template <class T>
T reduce(const Risk& risk, Index members, T* returns, Index count) {
  T sum = T(0);
  for (Index i = 0; i < count; ++i) sum += returns[i];
  const T mean = sum / static_cast<T>(count);
  // A nan has no place in an order, and an infinite mean no deviation.
  if (!std::isfinite(mean)) return mean;
  switch (risk.reduction) {
    case Reduction::kMean:
      return mean;
    case Reduction::kCvar:
      return mean_of_worst(risk.parameter, returns, count);
    case Reduction::kWorst:
      return *std::min_element(returns, returns + count);
    case Reduction::kEpistemicPenalty:
      return mean - static_cast<T>(risk.parameter) * deviation_of_members(members, mean, returns, count);
  }
  return mean;
}

void DisagreementLimit::validate() const { require(limit >= 0.0, "limit", limit, "at least 0"); }

template float reduce<float>(const Risk&, Index, float*, Index);
template double reduce<double>(const Risk&, Index, double*, Index);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/path_weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/vector_math.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr Index kWidth = kVectorLanes<float>;
using Lanes = LaneVector<float>;

float sum_of(Lanes lanes) {
  float sum = 0.0F;
  for (Index k = 0; k < kWidth; ++k) sum += lanes[k];
  return sum;
}

// Returns less the best of them, padded to whole vectors with some of weight 0.
class Shortfalls {
 public:
  explicit Shortfalls(CandidateNumbers& returns) : returns_(returns), count_(returns.size()) {
    float best = kNothing;
    for (const float one : returns) {
      if (std::isfinite(one)) best = std::max(best, one);
    }
    for (float& one : returns) {
      one = std::isfinite(one) ? one - best : kNothing;
      if (one > kNothing) worst_ = std::min(worst_, one);
      one = std::max(one, kNothing);
    }
    returns.resize(static_cast<std::size_t>(padded_lanes<float>(static_cast<Index>(count_))), kNothing);
  }

  float worst() const { return worst_; }  // of the finite ones, at most 0

  // The effective number of candidates of the weights at a temperature.
  float effective_count(float temperature) const {
    Lanes sum{};
    Lanes squares{};
    for_weights(temperature, [&](float* /*at*/, Lanes weight) {
      sum += weight;
      squares += weight * weight;
    });
    const float total = sum_of(sum);
    return total * total / sum_of(squares);
  }

  // Leaves weights with the sum 1 where the returns were; where nothing weighs, the first has it all.
  void weigh(float temperature) {
    Lanes sum{};
    for_weights(temperature, [&](float* at, Lanes weight) {
      store_lanes(at, weight);
      sum += weight;
    });
    const float total = sum_of(sum);
    returns_.resize(count_);
    if (!(total > 0.0F)) {
      returns_.front() = 1.0F;
      return;
    }
    for (float& weight : returns_) weight *= 1.0F / total;
  }

 private:
  static constexpr float kNothing = -std::numeric_limits<float>::max();

  template <class Use>
  void for_weights(float temperature, const Use& use) const {
    const float inverse = 1.0F / temperature;
    for (std::size_t k = 0; k < returns_.size(); k += kWidth) {
      const Lanes shortfall = load_lanes(returns_.data() + k);
      // Below the smallest argument of the exponential the weight is 0, not merely small.
      const Lanes weight = fast_exp<float>(shortfall * inverse);
      use(returns_.data() + k, (shortfall * inverse > -80.0F) & (shortfall > kNothing) ? weight : Lanes{});
    }
  }

  CandidateNumbers& returns_;
  std::size_t count_;
  float worst_ = 0.0F;
};

}  // namespace

void weigh(double temperature, CandidateNumbers& returns) {
  // Its inverse must be a float as well.
  constexpr auto kMin = static_cast<double>(std::numeric_limits<float>::min());
  Shortfalls(returns).weigh(static_cast<float>(std::clamp(temperature, kMin, 1.0 / kMin)));
}

void weigh_for(double effective, CandidateNumbers& returns) {
  Shortfalls shortfalls(returns);
  if (!(shortfalls.worst() < 0.0F)) {
    shortfalls.weigh(1.0F);
    return;
  }
  // The count grows with the temperature. Halved in the logarithm, from e^-28 to e^7 of the spread: to 1 in 10^4.
  float low = std::log(-shortfalls.worst()) - 28.0F;
  float high = low + 35.0F;
  for (int i = 0; i < 18; ++i) {
    const float middle = 0.5F * (low + high);
    (shortfalls.effective_count(std::exp(middle)) < static_cast<float>(effective) ? low : high) = middle;
  }
  shortfalls.weigh(std::exp(high));
}

void smooth(Index window, Index horizon, std::vector<float>& scratch, std::vector<float>& sequence) {
  const Index reach = window / 2;
  const auto width = static_cast<double>(reach);
  const auto action_dim = static_cast<Index>(sequence.size()) / horizon;
  scratch = sequence;
  for (Index t = 0; t < horizon; ++t) {
    for (Index a = 0; a < action_dim; ++a) {
      double sum = 0.0;
      double total = 0.0;
      for (Index j = -reach; j <= reach; ++j) {
        const auto away = static_cast<double>(j);
        const double weight = 3.0 * width * (width + 1.0) - 1.0 - 5.0 * away * away;
        const Index at = std::clamp<Index>(t + j, 0, horizon - 1);
        sum += weight * static_cast<double>(scratch[static_cast<std::size_t>(at * action_dim + a)]);
        total += weight;
      }
      sequence[static_cast<std::size_t>(t * action_dim + a)] = static_cast<float>(sum / total);
    }
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/planners/path_weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/vector_math.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
constexpr Index kWidth = kVectorLanes<T>;

template <class T>
T sum_of(LaneVector<T> lanes) {
  T sum = T(0);
  for (Index k = 0; k < kWidth<T>; ++k) sum += lanes[k];
  return sum;
}

// Returns less the best of them, padded to whole vectors with some of weight 0.
template <class T>
class Shortfalls {
  using Lanes = LaneVector<T>;

 public:
  explicit Shortfalls(CandidateNumbers<T>& returns) : returns_(returns), count_(returns.size()) {
    T best = kNothing;
    for (const T one : returns) {
      if (std::isfinite(one)) best = std::max(best, one);
    }
    for (T& one : returns) {
      one = std::isfinite(one) ? one - best : kNothing;
      if (one > kNothing) worst_ = std::min(worst_, one);
      one = std::max(one, kNothing);
    }
    returns.resize(static_cast<std::size_t>(padded_lanes<T>(static_cast<Index>(count_))), kNothing);
  }

  T worst() const { return worst_; }  // of the finite ones, at most 0

  // The effective number of candidates of the weights at a temperature.
  T effective_count(T temperature) const {
    Lanes sum{};
    Lanes squares{};
    for_weights(temperature, [&](T* /*at*/, Lanes weight) {
      sum += weight;
      squares += weight * weight;
    });
    const T total = sum_of<T>(sum);
    return total * total / sum_of<T>(squares);
  }

  // Leaves weights with the sum 1 where the returns were; where nothing weighs, the first has it all.
  void weigh(T temperature) {
    Lanes sum{};
    for_weights(temperature, [&](T* at, Lanes weight) {
      store_lanes(at, weight);
      sum += weight;
    });
    const T total = sum_of<T>(sum);
    returns_.resize(count_);
    if (!(total > T(0))) {
      returns_.front() = T(1);
      return;
    }
    for (T& weight : returns_) weight *= T(1) / total;
  }

 private:
  static constexpr T kNothing = -std::numeric_limits<T>::max();

  template <class Use>
  void for_weights(T temperature, const Use& use) const {
    const T inverse = T(1) / temperature;
    for (std::size_t k = 0; k < returns_.size(); k += kWidth<T>) {
      const Lanes shortfall = load_lanes(returns_.data() + k);
      // Below the smallest argument of the exponential the weight is 0, not merely small.
      const Lanes weight = fast_exp<T>(shortfall * inverse);
      use(returns_.data() + k, (shortfall * inverse > -T(80)) & (shortfall > kNothing) ? weight : Lanes{});
    }
  }

  CandidateNumbers<T>& returns_;
  std::size_t count_;
  T worst_ = T(0);
};

}  // namespace

template <class T>
void weigh(double temperature, CandidateNumbers<T>& returns) {
  // Its inverse must be a float as well.
  constexpr auto kMin = static_cast<double>(std::numeric_limits<T>::min());
  Shortfalls<T>(returns).weigh(static_cast<T>(std::clamp(temperature, kMin, 1.0 / kMin)));
}

template <class T>
double deviation_of(const CandidateNumbers<T>& returns) {
  double mean = 0.0;
  double squares = 0.0;
  double count = 0.0;
  for (const T one : returns) {
    if (!std::isfinite(one)) continue;
    count += 1.0;
    const double away = static_cast<double>(one) - mean;
    mean += away / count;
    squares += away * (static_cast<double>(one) - mean);  // Welford 1962
  }
  return count > 0.0 ? std::sqrt(squares / count) : 0.0;
}

template <class T>
void weigh_for(double effective, CandidateNumbers<T>& returns) {
  Shortfalls<T> shortfalls(returns);
  if (!(shortfalls.worst() < T(0))) {
    shortfalls.weigh(T(1));
    return;
  }
  // The count grows with the temperature. Halved in the logarithm, from e^-28 to e^7 of the spread: to 1 in 10^4.
  T low = std::log(-shortfalls.worst()) - T(28);
  T high = low + T(35);
  for (int i = 0; i < 18; ++i) {
    const T middle = T(0.5) * (low + high);
    (shortfalls.effective_count(std::exp(middle)) < static_cast<T>(effective) ? low : high) = middle;
  }
  shortfalls.weigh(std::exp(high));
}

template void weigh(double, CandidateNumbers<float>&);
template void weigh(double, CandidateNumbers<double>&);
template double deviation_of(const CandidateNumbers<float>&);
template double deviation_of(const CandidateNumbers<double>&);
template void weigh_for(double, CandidateNumbers<float>&);
template void weigh_for(double, CandidateNumbers<double>&);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

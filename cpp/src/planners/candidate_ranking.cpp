#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "dynaplan/planners/candidates.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

// The bits of a return, so that unsigned order is the order of returns upside down.
template <class Bits, class T>
Bits descending_bits(T total) {
  constexpr Bits kSign = Bits(1) << (8 * sizeof(Bits) - 1);
  Bits bits = 0;
  const T zero_is_positive = total + T(0);
  std::memcpy(&bits, &zero_is_positive, sizeof bits);
  const Bits ascending = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return ~ascending;
}

std::uint64_t rank_key(float total, Index candidate) {
  return (static_cast<std::uint64_t>(descending_bits<std::uint32_t>(total)) << 32) |
         static_cast<std::uint64_t>(candidate);
}

std::pair<std::uint64_t, std::uint64_t> rank_key(double total, Index candidate) {
  return {descending_bits<std::uint64_t>(total), static_cast<std::uint64_t>(candidate)};
}

Index number_of(std::uint64_t key) { return static_cast<Index>(key & 0xFFFFFFFFU); }
Index number_of(const std::pair<std::uint64_t, std::uint64_t>& key) { return static_cast<Index>(key.second); }

}  // namespace

template <class T>
Evaluated Candidates<T>::rank_last() {
  constexpr T kLast = -std::numeric_limits<T>::infinity();
  Evaluated last;
  last.count = count_;
  for (Index n = 0; n < count_; ++n) {
    T& total = totals_[static_cast<std::size_t>(n)];
    if (std::isfinite(total) && !is_late(n)) continue;
    if (is_late(n)) {
      ++last.late;
    } else {
      ++(is_rejected(n) ? last.rejected : last.non_finite);
    }
    total = kLast;
  }
  if (last.allowed() == 0 && last.rejected > 0) rank_by_violation();
  return last;
}

template <class T>
void Candidates<T>::rank_by_violation() {
  for (Index n = 0; n < count_; ++n) {
    if (!is_late(n) && is_rejected(n)) totals_[static_cast<std::size_t>(n)] = -violations_[static_cast<std::size_t>(n)];
  }
}

template <class T>
void Candidates<T>::copy_actions(Index candidate, T* out) const {
  const T* from = actions_.data() + tile_offset(candidate / lanes_) + candidate % lanes_;
  for (Index row = 0; row < horizon_ * action_dim_; ++row) out[row] = from[row * lanes_];
}

template <class T>
const T* Candidates<T>::select(Index elites) {
  for (Index n = 0; n < count_; ++n)
    ranking_[static_cast<std::size_t>(n)] = rank_key(totals_[static_cast<std::size_t>(n)], n);
  const auto end = ranking_.begin() + elites;
  std::nth_element(ranking_.begin(), end - 1, ranking_.end());
  selected_.resize(static_cast<std::size_t>(elites));
  std::transform(ranking_.begin(), end, selected_.begin(), [](const RankKey<T>& key) { return number_of(key); });
  std::sort(selected_.begin(), selected_.end());
  const Index size = horizon_ * action_dim_;
  elite_actions_.resize(static_cast<std::size_t>(size * elites));
  for (Index e = 0; e < elites; ++e) {
    copy_actions(selected_[static_cast<std::size_t>(e)], elite_actions_.data() + e * size);
  }
  return elite_actions_.data();
}

template <class T>
void Candidates<T>::copy_best(Index count, T* out) {
  const auto better = [&](Index a, Index b) {
    const auto total = [&](Index n) { return totals_[static_cast<std::size_t>(n)]; };
    return total(a) != total(b) ? total(a) > total(b) : a < b;
  };
  std::partial_sort(selected_.begin(), selected_.begin() + count, selected_.end(), better);
  for (Index e = 0; e < count; ++e) {
    copy_actions(selected_[static_cast<std::size_t>(e)], out + e * horizon_ * action_dim_);
  }
}

template <class T>
void Candidates<T>::average(const T* weights, const Interrupt* interrupt, T* out) const {
  for (Index row = 0; row < horizon_ * action_dim_; ++row) {
    if (interrupt != nullptr && interrupt->requested()) return;
    double sum = 0.0;
    for (Index first = 0; first < count_; first += lanes_) {
      const T* const actions = actions_.data() + tile_offset(first / lanes_) + row * lanes_;
      T part = T(0);
      for (Index k = 0; k < std::min(lanes_, count_ - first); ++k) part += weights[first + k] * actions[k];
      sum += static_cast<double>(part);
    }
    out[row] = static_cast<T>(sum);
  }
}

template <class T>
void Candidates<T>::subtract_linear(const T* price, T offset, T* values) const {
  for (Index first = 0; first < count_; first += lanes_) {
    const T* const actions = actions_.data() + tile_offset(first / lanes_);
    for (Index k = 0; k < std::min(lanes_, count_ - first); ++k) {
      T sum = offset;
      for (Index row = 0; row < horizon_ * action_dim_; ++row) sum += price[row] * actions[row * lanes_ + k];
      values[first + k] -= sum;
    }
  }
}

template <class T>
Index Candidates<T>::best() const {
  return std::max_element(totals_.begin(), totals_.begin() + count_) - totals_.begin();
}

template class Candidates<float>;
template class Candidates<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

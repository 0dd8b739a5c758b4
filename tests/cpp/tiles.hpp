#pragma once

#include <random>

#include "dynaplan/core/block.hpp"

namespace dynaplan_test {

using dynaplan::Index;

// An aligned block that owns its memory: what kernels are tested on.
template <class T>
class Tile {
 public:
  Tile(Index dim, Index lanes) : values_(static_cast<std::size_t>(dim * lanes)), dim_(dim), lanes_(lanes) {}

  Tile(Index dim, Index lanes, unsigned seed) : Tile(dim, lanes) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    for (T& value : values_) value = static_cast<T>(normal(generator));
  }

  dynaplan::Block<T> block() { return {values_.data(), dim_, lanes_, lanes_}; }
  dynaplan::ConstBlock<T> view() const { return {values_.data(), dim_, lanes_, lanes_}; }
  T& operator()(Index row, Index lane) { return values_[static_cast<std::size_t>(row * lanes_ + lane)]; }
  const T& operator()(Index row, Index lane) const { return values_[static_cast<std::size_t>(row * lanes_ + lane)]; }

 private:
  std::vector<T, Eigen::aligned_allocator<T>> values_;
  Index dim_;
  Index lanes_;
};

inline Eigen::MatrixXd random_matrix(Index rows, Index columns, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return normal(generator); });
}

}  // namespace dynaplan_test

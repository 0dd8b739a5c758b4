#pragma once

#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// All monomials of the inputs [state, action] of total degree 1 ... degree: the inputs themselves first, then degree
/// 2, and so on; within a degree in lexicographic order. The constant is not among them: it is the intercept's.
class PolynomialFeatures {
 public:
  /// Throws ValueError unless inputs >= 1, 1 <= degree, and there are fewer than a million monomials.
  PolynomialFeatures(Index inputs, int degree);

  Index inputs() const { return inputs_; }
  int degree() const { return degree_; }
  Index count() const { return inputs_ + products_count(); }
  /// The monomials beyond the inputs.
  Index products_count() const { return static_cast<Index>(products_.size()); }

  /// `out` (products_count, K) from `state` (S, K) and `action` (inputs - S, K).
  template <class T>
  void products(ConstBlock<T> state, ConstBlock<T> action, Block<T> out) const;

  /// Derivatives of the products with respect to one input, `out` (products_count, K), from `values`, what `products`
  /// gave for the same states and actions.
  template <class T>
  void derivatives(ConstBlock<T> state, ConstBlock<T> action, ConstBlock<T> values, Index input, Block<T> out) const;

  /// Exponents of monomial `feature`: a power for each input.
  std::vector<int> exponents(Index feature) const;

 private:
  // A monomial is an earlier feature times an input: one multiplication each.
  struct Product {
    Index feature;
    Index input;
  };

  Index inputs_;
  int degree_;
  std::vector<Product> products_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#include "dynaplan/models/features.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr Index kMaxFeatures = 1000000;

}  // namespace

PolynomialFeatures::PolynomialFeatures(Index inputs, int degree) : inputs_(inputs), degree_(degree) {
  require_dim("inputs", inputs);
  require_at_least("degree", degree, 1);
  // A feature of the degree before is extended only by inputs not before its last one: each monomial once.
  std::vector<Index> last_input(static_cast<std::size_t>(inputs));
  for (Index i = 0; i < inputs; ++i) last_input[static_cast<std::size_t>(i)] = i;
  Index first = 0;
  for (int d = 2; d <= degree; ++d) {
    const Index end = count();
    for (Index f = first; f < end; ++f) {
      for (Index i = last_input[static_cast<std::size_t>(f)]; i < inputs; ++i) {
        if (count() >= kMaxFeatures) {
          throw_value_error("degree", text_of(degree) + " for " + text_of(inputs) + " inputs",
                            "lower: at most a million features");
        }
        products_.push_back({f, i});
        last_input.push_back(i);
      }
    }
    first = end;
  }
}

template <class T>
void PolynomialFeatures::products(ConstBlock<T> state, ConstBlock<T> action, Block<T> out) const {
  const auto feature_row = [&](Index f) {
    if (f < state.dim) return state.row(f);
    return f < inputs_ ? action.row(f - state.dim) : static_cast<const T*>(out.row(f - inputs_));
  };
  for (Index p = 0; p < products_count(); ++p) {
    const Product product = products_[static_cast<std::size_t>(p)];
    lanes_of(out, p) =
        lanes_of(feature_row(product.feature), out.lanes) * lanes_of(feature_row(product.input), out.lanes);
  }
}

template void PolynomialFeatures::products<float>(ConstBlock<float>, ConstBlock<float>, Block<float>) const;
template void PolynomialFeatures::products<double>(ConstBlock<double>, ConstBlock<double>, Block<double>) const;

template <class T>
void PolynomialFeatures::derivatives(ConstBlock<T> state, ConstBlock<T> action, ConstBlock<T> values, Index input,
                                     Block<T> out) const {
  const auto feature_row = [&](Index f) {
    if (f < state.dim) return state.row(f);
    return f < inputs_ ? action.row(f - state.dim) : values.row(f - inputs_);
  };
  for (Index p = 0; p < products_count(); ++p) {
    const Product product = products_[static_cast<std::size_t>(p)];
    const auto factor = lanes_of(feature_row(product.input), out.lanes);
    auto derivative = lanes_of(out, p);
    if (product.feature >= inputs_) {
      derivative = lanes_of(out, product.feature - inputs_) * factor;
    } else if (product.feature == input) {
      derivative = factor;
    } else {
      derivative = T(0);
    }
    if (product.input == input) derivative += lanes_of(feature_row(product.feature), out.lanes);
  }
}

template void PolynomialFeatures::derivatives<float>(ConstBlock<float>, ConstBlock<float>, ConstBlock<float>, Index,
                                                     Block<float>) const;
template void PolynomialFeatures::derivatives<double>(ConstBlock<double>, ConstBlock<double>, ConstBlock<double>, Index,
                                                      Block<double>) const;

std::vector<int> PolynomialFeatures::exponents(Index feature) const {
  std::vector<int> powers(static_cast<std::size_t>(inputs_), 0);
  while (feature >= inputs_) {
    const Product product = products_[static_cast<std::size_t>(feature - inputs_)];
    ++powers[static_cast<std::size_t>(product.input)];
    feature = product.feature;
  }
  ++powers[static_cast<std::size_t>(feature)];
  return powers;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "dynaplan/core/check.hpp"
#include "dynaplan/core/workspace.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A compiled function from outside that takes blocks: entry i of lane k is at [i * stride + k]. `Signature<F>` is its
/// type for numbers of type F, float or double; either goes with any rollout.
template <template <class> class Signature>
class CFunction {
 public:
  /// `owner` is what must outlive the function: its library, or a closure's memory. Throws ValueError for null.
  template <class F>
  CFunction(Signature<F>* function, void* user_data, std::shared_ptr<const void> owner)
      : function_(function), user_data_(user_data), owner_(std::move(owner)) {
    if (function == nullptr) throw_value_error("function", "a null pointer", "the address of a function");
  }

  /// Calls `use(F(), function)`, so that the type of its numbers is a constant.
  template <class Use>
  void visit(const Use& use) const {
    if (const auto* const function = std::get_if<Signature<float>*>(&function_)) {
      use(float(), *function);
    } else {
      use(double(), std::get<Signature<double>*>(function_));
    }
  }

  bool is_float32() const { return std::holds_alternative<Signature<float>*>(function_); }

  void* user_data() const { return user_data_; }

 private:
  std::variant<Signature<float>*, Signature<double>*> function_;
  void* user_data_;
  std::shared_ptr<const void> owner_;
};

/// Scratch of one `foreign_block` of `rows` rows.
inline std::size_t foreign_bytes(Index rows, Index lanes) { return Workspace::bytes<double>(rows * lanes); }

/// A new block of `F` without gaps between its rows, all 0.
template <class F>
Block<F> foreign_result(Index rows, Index lanes, Workspace& workspace) {
  const Block<F> block = workspace.take_block<F>(rows, lanes);
  std::fill_n(block.data, rows * lanes, F(0));
  return block;
}

template <class From, class To>
void convert_block(ConstBlock<From> from, Block<To> to) {
  for (Index i = 0; i < from.dim; ++i) {
    const From* const source = from.row(i);
    To* const target = to.row(i);
    for (Index k = 0; k < from.lanes; ++k) target[k] = static_cast<To>(source[k]);
  }
}

/// `block` as a function of `F` reads it: without gaps between its rows; a copy unless it is so already.
template <class F, class T>
ConstBlock<F> foreign_block(ConstBlock<T> block, Workspace& workspace) {
  if constexpr (std::is_same_v<F, T>) {
    if (block.stride == block.lanes) return block;
  }
  const Block<F> copy = workspace.take_block<F>(block.dim, block.lanes);
  convert_block(block, copy);
  return copy;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan

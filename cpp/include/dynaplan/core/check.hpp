#pragma once

#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace dynaplan {

// Outside the namespaces of the levels, as nothing here depends on one: compiled once for all of them.
//
// Every check of an argument and the text of every number in a message, in one dialect:
// "argument: got X, must be Y".

/// The number as Python's repr prints it: the shortest decimal that reads back as the same number of its type.
std::string text_of(double number);
std::string text_of(float number);

/// A computed number in the same form, to six significant digits.
std::string rounded_text(double number);

template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
std::string text_of(Integer number) {
  return std::to_string(number);
}

/// A word in quotes, as Python's repr prints it.
std::string text_of(std::string_view word);

/// A shape as Python prints it: "(3,)" or "(2, 3)". A negative size stands for any.
std::string shape_text(const std::ptrdiff_t* sizes, std::size_t count);
std::string shape_text(std::initializer_list<std::ptrdiff_t> sizes);

/// Throw ValueError or ShapeError: "argument: got X, must be Y".
[[noreturn]] void throw_value_error(std::string_view argument, std::string_view got, std::string_view must);
[[noreturn]] void throw_shape_error(std::string_view argument, std::string_view got, std::string_view must);

/// Throws ValueError unless `holds`; the text of the number is made only then.
template <class Number>
void require(bool holds, std::string_view argument, Number got, std::string_view must) {
  if (!holds) throw_value_error(argument, text_of(got), must);
}

/// Each throws ValueError unless the number is as its name says; nan never is.
void require_at_least(std::string_view argument, std::ptrdiff_t got, std::ptrdiff_t minimum);
void require_in(std::string_view argument, std::ptrdiff_t got, std::ptrdiff_t low, std::ptrdiff_t high);
void require_finite(std::string_view argument, double got);
void require_positive(std::string_view argument, double got);            // and finite
void require_not_negative(std::string_view argument, double got);        // and finite
void require_fraction(std::string_view argument, double got);            // in [0, 1]
void require_positive_fraction(std::string_view argument, double got);   // in (0, 1]
void require_fraction_below_one(std::string_view argument, double got);  // in [0, 1)

/// Throws ValueError unless low <= high: "low: got 2.0, must be at most high = 1.0".
void require_bounds(double low, double high);

/// Throws ValueError that names the entry of `values`: "argument: entry 3 is nan, must be finite".
[[noreturn]] void throw_entry_error(std::string_view argument, std::ptrdiff_t entry, double value,
                                    std::string_view must);

/// Likewise of rows of `columns` numbers, `entry` counted through them: "argument: row 1, column 2 is nan, must be
/// finite"; the column is left out where there is one.
[[noreturn]] void throw_row_error(std::string_view argument, std::ptrdiff_t entry, std::ptrdiff_t columns, double value,
                                  std::string_view must);

/// Throw ValueError naming the first entry that is not finite; no values, a null pointer, are none to check.
void require_finite(std::string_view argument, const double* values, std::ptrdiff_t count);
void require_finite(std::string_view argument, const double* values, std::ptrdiff_t rows, std::ptrdiff_t columns);

/// Likewise of anything with rows(), cols() and (row, column), such as a matrix of Eigen.
template <class Matrix>
void require_finite_matrix(std::string_view argument, const Matrix& matrix) {
  for (std::ptrdiff_t i = 0; i < matrix.rows(); ++i) {
    for (std::ptrdiff_t j = 0; j < matrix.cols(); ++j) {
      if (std::isfinite(matrix(i, j))) continue;
      throw_row_error(argument, i * matrix.cols() + j, matrix.cols(), static_cast<double>(matrix(i, j)), "finite");
    }
  }
}

/// Whether the number is still finite when it is rounded to float32.
inline bool is_finite_float32(double value) { return std::isfinite(static_cast<float>(value)); }

/// Throws ValueError naming the first entry that is not.
void require_finite_float32(std::string_view argument, const double* values, std::ptrdiff_t rows,
                            std::ptrdiff_t columns);

/// Throw ShapeError where a size is below 1: "state_dim: got 0, must be at least 1", "states: got 0 columns, must be
/// ...".
void require_dim(std::string_view argument, std::ptrdiff_t got);
void require_columns(std::string_view argument, std::ptrdiff_t got);

/// Throw ShapeError unless the sizes are the same, as "argument: got shape (3,), must be (4,)".
void require_size(std::string_view argument, std::ptrdiff_t got, std::ptrdiff_t must);
void require_shape(std::string_view argument, std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t must_rows,
                   std::ptrdiff_t must_columns);

/// Throws ShapeError unless two arguments are of one size: "low: got shape (3,), must be (2,) as high".
void require_same_size(std::string_view argument, std::ptrdiff_t got, std::string_view other, std::ptrdiff_t must);

/// Throws ValueError where an array with these sizes, none below 0, has more numbers than memory can be addressed for:
/// "particles: got 9 x 9 x 9 numbers, must be few enough for memory". Before sizes that callers choose are multiplied:
/// a product that wraps around is too small a memory.
void require_addressable(std::string_view argument, std::initializer_list<std::ptrdiff_t> sizes);

/// How many states and actions a model has, or a part of a problem is for.
struct ModelDims {
  std::ptrdiff_t states;
  std::ptrdiff_t actions;
};

/// Throw ShapeError unless a part of a problem, such as "a linear term", fits the model: "argument: got a linear term
/// for 3 states, must be for the model's 2".
void require_model_dims(std::string_view argument, std::string_view part, const ModelDims& got, const ModelDims& model);
void require_model_states(std::string_view argument, std::string_view part, std::ptrdiff_t got, std::ptrdiff_t model);
void require_model_actions(std::string_view argument, std::string_view part, std::ptrdiff_t got, std::ptrdiff_t model);

/// Throws ShapeError unless the model has the entry that a part reads: "argument: got a distance of state 5, must be of
/// one of the model's 3 states"; `kind` is "state" or "action".
void require_model_entry(std::string_view argument, std::string_view part, std::string_view kind, std::ptrdiff_t entry,
                         std::ptrdiff_t count);

}  // namespace dynaplan

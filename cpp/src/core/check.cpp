#include "dynaplan/core/check.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "dynaplan/core/error.hpp"

namespace dynaplan {

namespace {

// The digits "d.ddd" and the exponent of ten that `precision` asks for (none: the shortest), laid out by Python's rule:
// an exponent below -4 or from 16 on is written as such, with two digits at least.
template <class Float, class... Precision>
std::string repr(Float number, Precision... precision) {
  if (std::isnan(number)) return "nan";  // whatever its sign
  if (std::isinf(number)) return number < Float(0) ? "-inf" : "inf";
  char buffer[64];
  char* const end = buffer + sizeof(buffer);
  const auto written = std::to_chars(buffer, end, number, std::chars_format::scientific, precision...);
  const std::string_view text(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const std::size_t mark = text.find('e');
  const std::string power(text.substr(mark + 1));
  int exponent = 0;
  std::from_chars(power.data() + 1, power.data() + power.size(), exponent);  // after the sign, which is always there
  if (power.front() == '-') exponent = -exponent;
  const bool negative = text.front() == '-';
  std::string digits(text.substr(negative ? 1 : 0, mark - (negative ? 1 : 0)));
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  digits.erase(std::max<std::size_t>(1, digits.find_last_not_of('0') + 1));
  if (exponent < -4 || exponent >= 16) {
    if (digits.size() > 1) digits.insert(1, ".");
    return (negative ? "-" : "") + digits + "e" + power;
  }
  if (exponent < 0) {
    digits = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() <= whole) digits.append(whole - digits.size() + 1, '0');
    digits.insert(whole, ".");
  }
  return negative ? "-" + digits : digits;
}

std::string message(std::string_view argument, std::string_view got, std::string_view must) {
  std::string text(argument);
  text.append(": got ").append(got).append(", must be ").append(must);
  return text;
}

std::string counted(std::ptrdiff_t count, std::string_view kind) {
  std::string text = text_of(count);
  text.append(" ").append(kind);
  if (count != 1) text.append("s");
  return text;
}

void require_model_dim(std::string_view argument, std::string_view part, std::string_view kind, std::ptrdiff_t got,
                       std::ptrdiff_t model) {
  if (got == model) return;
  throw_shape_error(argument, std::string(part) + " for " + counted(got, kind), "for the model's " + text_of(model));
}

}  // namespace

std::string text_of(double number) { return repr(number); }

std::string text_of(float number) { return repr(number); }

std::string rounded_text(double number) { return repr(number, 5); }

std::string text_of(std::string_view word) {
  std::string text("'");
  text.append(word).append("'");
  return text;
}

std::string shape_text(const std::ptrdiff_t* sizes, std::size_t count) {
  std::string text = "(";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += sizes[i] < 0 ? std::string("any") : text_of(sizes[i]);
  }
  return text + (count == 1 ? ",)" : ")");
}

std::string shape_text(std::initializer_list<std::ptrdiff_t> sizes) { return shape_text(sizes.begin(), sizes.size()); }

void throw_value_error(std::string_view argument, std::string_view got, std::string_view must) {
  throw ValueError(message(argument, got, must));
}

void throw_shape_error(std::string_view argument, std::string_view got, std::string_view must) {
  throw ShapeError(message(argument, got, must));
}

void require_at_least(std::string_view argument, std::ptrdiff_t got, std::ptrdiff_t minimum) {
  if (got < minimum) throw_value_error(argument, text_of(got), "at least " + text_of(minimum));
}

void require_in(std::string_view argument, std::ptrdiff_t got, std::ptrdiff_t low, std::ptrdiff_t high) {
  if (got >= low && got <= high) return;
  throw_value_error(argument, text_of(got), "from " + text_of(low) + " to " + text_of(high));
}

void require_finite(std::string_view argument, double got) { require(std::isfinite(got), argument, got, "finite"); }

void require_positive(std::string_view argument, double got) {
  require(got > 0.0 && std::isfinite(got), argument, got, "finite and above 0");
}

void require_not_negative(std::string_view argument, double got) {
  require(got >= 0.0 && std::isfinite(got), argument, got, "finite and at least 0");
}

void require_fraction(std::string_view argument, double got) {
  require(got >= 0.0 && got <= 1.0, argument, got, "in [0, 1]");
}

void require_positive_fraction(std::string_view argument, double got) {
  require(got > 0.0 && got <= 1.0, argument, got, "in (0, 1]");
}

void require_fraction_below_one(std::string_view argument, double got) {
  require(got >= 0.0 && got < 1.0, argument, got, "in [0, 1)");
}

void require_bounds(double low, double high) {
  if (!(low <= high)) throw_value_error("low", text_of(low), "at most high = " + text_of(high));
}

void throw_entry_error(std::string_view argument, std::ptrdiff_t entry, double value, std::string_view must) {
  std::string text(argument);
  text.append(": entry " + text_of(entry) + " is " + text_of(value) + ", must be ").append(must);
  throw ValueError(text);
}

void throw_row_error(std::string_view argument, std::ptrdiff_t entry, std::ptrdiff_t columns, double value,
                     std::string_view must) {
  std::string text(argument);
  text.append(": row " + text_of(entry / columns));
  if (columns > 1) text.append(", column " + text_of(entry % columns));
  text.append(" is " + text_of(value) + ", must be ").append(must);
  throw ValueError(text);
}

void require_finite(std::string_view argument, const double* values, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; values != nullptr && i < count; ++i) {
    if (!std::isfinite(values[i])) throw_entry_error(argument, i, values[i], "finite");
  }
}

void require_finite(std::string_view argument, const double* values, std::ptrdiff_t rows, std::ptrdiff_t columns) {
  for (std::ptrdiff_t i = 0; values != nullptr && i < rows * columns; ++i) {
    if (!std::isfinite(values[i])) throw_row_error(argument, i, columns, values[i], "finite");
  }
}

void require_finite_float32(std::string_view argument, const double* values, std::ptrdiff_t rows,
                            std::ptrdiff_t columns) {
  for (std::ptrdiff_t i = 0; values != nullptr && i < rows * columns; ++i) {
    if (!is_finite_float32(values[i])) throw_row_error(argument, i, columns, values[i], "a finite float32");
  }
}

void require_dim(std::string_view argument, std::ptrdiff_t got) {
  if (got < 1) throw_shape_error(argument, text_of(got), "at least 1");
}

void require_columns(std::string_view argument, std::ptrdiff_t got) {
  if (got < 1) throw_shape_error(argument, text_of(got) + " columns", "at least 1");
}

void require_size(std::string_view argument, std::ptrdiff_t got, std::ptrdiff_t must) {
  if (got != must) throw_shape_error(argument, "shape " + shape_text({got}), shape_text({must}));
}

void require_shape(std::string_view argument, std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t must_rows,
                   std::ptrdiff_t must_columns) {
  if (rows == must_rows && columns == must_columns) return;
  throw_shape_error(argument, "shape " + shape_text({rows, columns}), shape_text({must_rows, must_columns}));
}

void require_same_size(std::string_view argument, std::ptrdiff_t got, std::string_view other, std::ptrdiff_t must) {
  if (got == must) return;
  std::string wanted = shape_text({must});
  wanted.append(" as ").append(other);
  throw_shape_error(argument, "shape " + shape_text({got}), wanted);
}

void require_addressable(std::string_view argument, std::initializer_list<std::ptrdiff_t> sizes) {
  // Of 8 bytes, with some room for what is padded and what is added.
  constexpr std::ptrdiff_t kMaxNumbers = std::ptrdiff_t{1} << 56;
  std::ptrdiff_t numbers = 1;
  for (const std::ptrdiff_t size : sizes) {
    if (size == 0) return;
  }
  for (const std::ptrdiff_t size : sizes) {
    if (size <= kMaxNumbers / numbers) {
      numbers *= size;
      continue;
    }
    std::string got;
    for (const std::ptrdiff_t one : sizes) got.append(got.empty() ? "" : " x ").append(text_of(one));
    throw_value_error(argument, got + " numbers", "few enough for memory");
  }
}

void require_model_dims(std::string_view argument, std::string_view part, const ModelDims& got,
                        const ModelDims& model) {
  if (got.states == model.states && got.actions == model.actions) return;
  throw_shape_error(
      argument, std::string(part) + " for " + counted(got.states, "state") + " and " + counted(got.actions, "action"),
      "for the model's " + text_of(model.states) + " and " + text_of(model.actions));
}

void require_model_states(std::string_view argument, std::string_view part, std::ptrdiff_t got, std::ptrdiff_t model) {
  require_model_dim(argument, part, "state", got, model);
}

void require_model_actions(std::string_view argument, std::string_view part, std::ptrdiff_t got, std::ptrdiff_t model) {
  require_model_dim(argument, part, "action", got, model);
}

void require_model_entry(std::string_view argument, std::string_view part, std::string_view kind, std::ptrdiff_t entry,
                         std::ptrdiff_t count) {
  if (entry >= 0 && entry < count) return;
  std::string got(part);
  got.append(" of ").append(kind).append(" " + text_of(entry));
  throw_shape_error(argument, got, "of one of the model's " + counted(count, kind));
}

}  // namespace dynaplan

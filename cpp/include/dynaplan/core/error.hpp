#pragma once

#include <stdexcept>
#include <string>

namespace dynaplan {

/// Base of all errors of the library. Messages give the argument, what it was and what it must be.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An array has the wrong number of dimensions, rows or columns.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A value is out of its range or not finite.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// A computation cannot give a usable number.
class NumericalError : public Error {
 public:
  using Error::Error;
};

}  // namespace dynaplan

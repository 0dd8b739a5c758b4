#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <Eigen/Core>
#include <initializer_list>
#include <string>

#include "dynaplan/core/block.hpp"
#include "dynaplan/core/check.hpp"

namespace dynaplan::bindings {

namespace py = pybind11;

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using IndexType = Eigen::Index;

// The data of an array that Python has already made contiguous and of the right type; nothing is ever converted here,
// so no pointer is taken from a temporary. A negative size in `shape` stands for any.
template <class T>
const T* input(const py::array& array, const char* name, std::initializer_list<IndexType> shape) {
  if (!py::isinstance<py::array_t<T>>(array)) {
    throw py::type_error(std::string(name) + ": got dtype " + std::string(py::str(array.dtype())) + ", must be " +
                         std::string(py::str(py::dtype::of<T>())));
  }
  bool fits = array.ndim() == static_cast<py::ssize_t>(shape.size());
  py::ssize_t i = 0;
  for (const IndexType size : shape) {
    fits = fits && (size < 0 || array.shape(i) == size);
    ++i;
  }
  if (!fits) {
    const std::string got = shape_text(array.shape(), static_cast<std::size_t>(array.ndim()));
    throw_shape_error(name, "shape " + got, shape_text(shape));
  }
  if ((array.flags() & py::array::c_style) == 0) {
    throw py::type_error(std::string(name) + ": must be C-contiguous");
  }
  return static_cast<const T*>(array.data());
}

template <class T>
const T* optional_input(const py::object& array, const char* name, std::initializer_list<IndexType> shape) {
  return array.is_none() ? nullptr : input<T>(py::cast<py::array>(array), name, shape);
}

inline Eigen::VectorXd vector_input(const py::array& array, const char* name) {
  const double* data = input<double>(array, name, {-1});
  return Eigen::Map<const Eigen::VectorXd>(data, array.shape(0));
}

inline Eigen::MatrixXd matrix_input(const py::array& array, const char* name) {
  const double* data = input<double>(array, name, {-1, -1});
  return Eigen::Map<const RowMatrix>(data, array.shape(0), array.shape(1));
}

inline py::array_t<double> to_array(const Eigen::MatrixXd& matrix) {
  py::array_t<double> array({matrix.rows(), matrix.cols()});
  Eigen::Map<RowMatrix>(array.mutable_data(), matrix.rows(), matrix.cols()) = matrix;
  return array;
}

// The first `count` lanes in an array that Python owns: a function may keep it.
template <class T>
py::array_t<double> rows_of(ConstBlock<T> block, IndexType count) {
  py::array_t<double> rows({count, block.dim});
  double* const values = rows.mutable_data();
  for (IndexType i = 0; i < block.dim; ++i) {
    for (IndexType k = 0; k < count; ++k) values[k * block.dim + i] = static_cast<double>(block.row(i)[k]);
  }
  return rows;
}

inline py::array_t<double> to_vector(const Eigen::VectorXd& vector) {
  py::array_t<double> array(vector.size());
  Eigen::Map<Eigen::VectorXd>(array.mutable_data(), vector.size()) = vector;
  return array;
}

}  // namespace dynaplan::bindings

// The only file that knows both NumPy and views. Nothing is converted or copied here: an array is
// C-contiguous, aligned and of exactly the right dtype, or it is refused.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "base/check.hpp"
#include "model/program.hpp"
#include "model/source.hpp"

namespace pymlp::bindings {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

// pybind11's own test lets unaligned arrays pass.
template <class T>
void check_aligned(const Array<T>& array, const char* name) {
  check(reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) == 0, name,
        " must be aligned in memory");
}

template <class T>
void check_writable(const Array<T>& array, const char* name) {
  check(array.writeable(), name, " must be writable");
}

template <class T>
void check_matrix(const Array<T>& array, const char* name, index_t cols) {
  check(array.ndim() == 2, name, " must have 2 dimensions, not ", array.ndim());
  check(array.shape(1) == cols, name, " must have ", cols, " columns, not ", array.shape(1));
  check_aligned(array, name);
}

template <class T>
ConstMatrixView<T> const_matrix(const Array<T>& array, const char* name, index_t cols) {
  check_matrix(array, name, cols);
  return {array.data(), array.shape(0), cols, cols};
}

template <class T>
ConstMatrixView<T> any_matrix(const Array<T>& array, const char* name) {
  check(array.ndim() == 2, name, " must have 2 dimensions, not ", array.ndim());
  return const_matrix(array, name, array.shape(1));
}

template <class T>
ConstMatrixView<T> const_matrix(const Array<T>& array, const char* name, index_t rows,
                                index_t cols) {
  check_matrix(array, name, cols);
  check(array.shape(0) == rows, name, " must have ", rows, " rows, not ", array.shape(0));
  return {array.data(), rows, cols, cols};
}

template <class T>
MatrixView<T> matrix(Array<T>& array, const char* name, index_t rows, index_t cols) {
  check_matrix(array, name, cols);
  check(array.shape(0) == rows, name, " must have ", rows, " rows, not ", array.shape(0));
  check_writable(array, name);
  return {array.mutable_data(), rows, cols, cols};
}

template <class T>
const T* const_vector(const Array<T>& array, const char* name, index_t size) {
  check(array.ndim() == 1, name, " must have 1 dimension, not ", array.ndim());
  check(array.shape(0) == size, name, " must have ", size, " elements, not ", array.shape(0));
  check_aligned(array, name);
  return array.data();
}

template <class T>
T* vector(Array<T>& array, const char* name, index_t size) {
  const_vector(array, name, size);
  check_writable(array, name);
  return array.mutable_data();
}

template <class T>
Array<T> empty_matrix(index_t rows, index_t cols) {
  return Array<T>({rows, cols});
}

// A copy, which the callee may keep or write to.
template <class T>
Array<T> copied(ConstMatrixView<T> view) {
  Array<T> array = empty_matrix<T>(view.rows, view.cols);
  for (index_t i = 0; i < view.rows; ++i) {
    std::copy_n(view.row(i), view.cols, array.mutable_data() + i * view.cols);
  }
  return array;
}

// Labels and values are two arguments, of which one is given. Labels are checked in `labels_kept`,
// a copy: were they changed while they are in use, they would lead outside of the outputs.
template <class T>
Targets<T> targets(const std::optional<Array<std::int32_t>>& labels,
                   const std::optional<Array<T>>& values, index_t rows, index_t n_outputs,
                   Buffer<std::int32_t>& labels_kept) {
  check(labels.has_value() != values.has_value(), "give either labels or values");
  if (values) {
    const ConstMatrixView<T> view = const_matrix(*values, "values", n_outputs);
    check(view.rows == rows, "values must have ", rows, " rows, not ", view.rows);
    return {nullptr, view};
  }
  const std::int32_t* given = const_vector(*labels, "labels", rows);
  labels_kept = Buffer<std::int32_t>(rows);
  std::copy_n(given, rows, labels_kept.data());
  for (const std::int32_t label : labels_kept.span()) {
    check(label >= 0 && label < n_outputs, "labels must be from 0 to ", n_outputs - 1, ", not ",
          label);
  }
  return {labels_kept.data(), {}};
}

// A copy of row numbers of a matrix of so many rows.
inline Buffer<index_t> row_numbers(const Array<index_t>& given, index_t rows) {
  check(given.ndim() == 1 && given.shape(0) >= 1, "rows must be a vector of at least 1 number");
  check_aligned(given, "rows");
  Buffer<index_t> kept(given.shape(0));
  std::copy_n(given.data(), kept.size(), kept.data());
  for (const index_t row : kept.span()) {
    check(row >= 0 && row < rows, "rows must be from 0 to ", rows - 1, ", not ", row);
  }
  return kept;
}

// Of all rows, or of some.
template <class T>
ArraySource<T> source_of(const Array<T>& x, const std::optional<Array<std::int32_t>>& labels,
                         const std::optional<Array<T>>& values,
                         const std::optional<Array<T>>& sample_weight, const Program& program,
                         Buffer<std::int32_t>& labels_kept, std::span<const index_t> rows = {}) {
  const ConstMatrixView<T> view = const_matrix(x, "X", program.n_inputs());
  check(view.rows >= 1, "X must have at least 1 row");
  return {view, targets(labels, values, view.rows, program.n_outputs(), labels_kept),
          sample_weight ? const_vector(*sample_weight, "sample_weight", view.rows) : nullptr, rows};
}

}  // namespace pymlp::bindings

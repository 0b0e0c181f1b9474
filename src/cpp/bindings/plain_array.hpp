// PlainArray: a NumPy array that is used in place, read without pybind11's conversions, which take
// longer than a small network. Arrays that need any conversion are not plain.
#pragma once

#include <functional>

#include "bindings/arrays.hpp"

namespace pymlp::bindings {

template <class T>
struct PlainArray {
  T* data = nullptr;  // null: not plain, and nothing else here is known
  int ndim = 0;       // 1 or 2
  index_t rows = 0;   // 1 for a vector
  index_t cols = 0;
  bool writable = false;

  explicit operator bool() const { return data != nullptr; }
  index_t size() const { return rows * cols; }
};

// NumPy's number for T.
template <class T>
constexpr int kTypeNumber = py::detail::npy_format_descriptor<T>::value;

// Exactly an ndarray, as a subclass may mean something else by its numbers (a masked array does):
// a vector or a matrix, C-contiguous, aligned, of T in the byte order of this machine, not empty.
template <class T>
PlainArray<T> plain_array(PyObject* object) {
  using py::detail::npy_api;
  constexpr int kLayout = npy_api::NPY_ARRAY_C_CONTIGUOUS_ | npy_api::NPY_ARRAY_ALIGNED_;
  if (Py_TYPE(object) != npy_api::get().PyArray_Type_) return {};
  const auto* array = py::detail::array_proxy(object);
  const auto* dtype = py::detail::array_descriptor_proxy(array->descr);
  if ((array->flags & kLayout) != kLayout || dtype->type_num != kTypeNumber<T> ||
      dtype->byteorder != '=' || array->nd < 1 || array->nd > 2) {
    return {};
  }
  const index_t rows = array->nd == 1 ? 1 : array->dimensions[0];
  const index_t cols = array->dimensions[array->nd - 1];
  if (rows * cols == 0) return {};
  return {reinterpret_cast<T*>(array->data), array->nd, rows, cols,
          (array->flags & npy_api::NPY_ARRAY_WRITEABLE_) != 0};
}

template <class T>
bool overlap(const PlainArray<T>& a, const PlainArray<T>& b) {
  const std::less<const T*> before;  // the order of pointers into different arrays
  return before(a.data, b.data + b.size()) && before(b.data, a.data + a.size());
}

// A new array (cols,) or (rows, cols); null with Python's error set where there is no memory.
template <class T>
PyObject* new_plain_array(int ndim, index_t rows, index_t cols) {
  const auto& numpy = py::detail::npy_api::get();
  const py::ssize_t shape[] = {rows, cols};
  return numpy.PyArray_NewFromDescr_(numpy.PyArray_Type_,
                                     numpy.PyArray_DescrFromType_(kTypeNumber<T>), ndim,
                                     shape + (2 - ndim), nullptr, nullptr, 0, nullptr);
}

}  // namespace pymlp::bindings

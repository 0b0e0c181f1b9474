#include "kernels/product.hpp"

#include <algorithm>

#include "base/buffer.hpp"
#include "kernels/blas.hpp"
#include "kernels/table.hpp"

namespace pymlp::product {

using blas::Transpose;

namespace {

template <class T>
Panels<T> plain(ConstMatrixView<T> m) {
  return {m.data, m.stride, kernels<T>().panel_width};
}

template <class T>
Panels<T> in_panels(const T* panels, index_t k) {
  const index_t width = kernels<T>().panel_width;
  return {panels, width, width * k};
}

// Elements of a matrix (k, cols) in panels.
template <class T>
index_t size_in_panels(index_t k, index_t cols) {
  const index_t width = kernels<T>().panel_width;
  return (cols + width - 1) / width * width * k;
}

// With few outputs most lanes of a vector of them would be padding, so vectors run over inputs: dw
// is computed transposed, some inputs at a time.
constexpr index_t kFewOutputs = 4;
constexpr index_t kInputsAside = 128;

template <class T>
void weights_gradient_of_few_outputs(MatrixView<T> dw, ConstMatrixView<T> x, ConstMatrixView<T> dz,
                                     index_t first, bool accumulate) {
  alignas(kAlignment) T aside[kFewOutputs * kInputsAside];
  for (index_t i = 0; i < dw.rows; i += kInputsAside) {
    const index_t count = std::min(kInputsAside, dw.rows - i);
    const ConstMatrixView<T> inputs(x.data + first + i, x.rows, count, x.stride);
    for (index_t j = 0; accumulate && j < count; ++j) {
      for (index_t o = 0; o < dw.cols; ++o) aside[o * kInputsAside + j] = dw.row(i + j)[o];
    }
    kernels<T>().multiply({aside, dw.cols, count, kInputsAside}, transposed<T>(dz), x.rows,
                          plain<T>(inputs), nullptr, accumulate);
    for (index_t j = 0; j < count; ++j) {
      for (index_t o = 0; o < dw.cols; ++o) dw.row(i + j)[o] = aside[o * kInputsAside + j];
    }
  }
}

template <class T>
void exact_weights_gradient(MatrixView<T> dw, T* db, ConstMatrixView<T> x, ConstMatrixView<T> dz,
                            index_t first, bool accumulate) {
  const Kernels<T>& k = kernels<T>();
  // What whole panels leave over are few outputs as well.
  const index_t panel_cols = dw.cols / k.panel_width * k.panel_width;
  if (panel_cols > 0 && dw.cols - panel_cols == kFewOutputs && dw.rows >= k.panel_width) {
    const auto part = [&](index_t from, index_t cols) {
      exact_weights_gradient<T>({dw.data + from, dw.rows, cols, dw.stride},
                                db != nullptr ? db + from : nullptr, x,
                                {dz.data + from, dz.rows, cols, dz.stride}, first, accumulate);
    };
    part(0, panel_cols);
    return part(panel_cols, kFewOutputs);
  }
  // Whole vectors of inputs: x is a user's array, and nothing behind its end may be read.
  const index_t panels = dw.cols <= kFewOutputs ? dw.rows / k.panel_width : 0;
  const index_t whole = panels * k.panel_width;
  if (whole > 0) weights_gradient_of_few_outputs(dw.slice(0, whole), x, dz, first, accumulate);
  const ConstMatrixView<T> rest(x.data + first + whole, x.rows, dw.rows - whole, x.stride);
  const Strided<T> a = transposed<T>(rest);
  if (whole == dw.rows) {
    if (db != nullptr) k.column_sums(db, dz, accumulate);
  } else if (db == dw.row(dw.rows)) {
    k.multiply_with_ones(dw.slice(whole, dw.rows - whole + 1), a, x.rows, plain<T>(dz), accumulate);
  } else {
    k.multiply(dw.slice(whole, dw.rows - whole), a, x.rows, plain<T>(dz), nullptr, accumulate);
    if (db != nullptr) k.column_sums(db, dz, accumulate);
  }
}

}  // namespace

template <class T>
index_t transposed_size(Arithmetic arithmetic, index_t n_in, index_t n_out) {
  return arithmetic == Arithmetic::exact ? size_in_panels<T>(n_out, n_in) : 0;
}

template <class T>
void transpose(T* transposed, ConstMatrixView<T> w, index_t first, index_t count) {
  kernels<T>().transpose(transposed, w, first, count);
}

template <class T>
void forward(Arithmetic arithmetic, MatrixView<T> z, ConstMatrixView<T> x, ConstMatrixView<T> w,
             const T* biases) {
  if (arithmetic == Arithmetic::exact) {
    return kernels<T>().multiply(z, as_it_is<T>(x), x.cols, plain<T>(w), biases, false);
  }
  for (index_t i = 0; biases != nullptr && i < z.rows; ++i) {
    std::copy_n(biases, z.cols, z.row(i));
  }
  blas::gemm(Transpose::no, Transpose::no, z.rows, z.cols, x.cols, x.data, x.stride, w.data,
             w.stride, biases != nullptr ? T(1) : T(0), z.data, z.stride);
}

template <class T>
void forward_columns(MatrixView<T> z, ConstMatrixView<T> x, ConstMatrixView<T> w, const T* biases,
                     Range columns) {
  z.cols = columns.end();
  kernels<T>().multiply_columns(z, columns.first, as_it_is<T>(x), x.cols, plain<T>(w), biases);
}

template <class T>
void weights_gradient(Arithmetic arithmetic, MatrixView<T> dw, T* db, ConstMatrixView<T> x,
                      ConstMatrixView<T> dz, index_t first, bool accumulate) {
  if (arithmetic == Arithmetic::exact) {
    return exact_weights_gradient(dw, db, x, dz, first, accumulate);
  }
  blas::gemm(Transpose::yes, Transpose::no, dw.rows, dw.cols, x.rows, x.data + first, x.stride,
             dz.data, dz.stride, accumulate ? T(1) : T(0), dw.data, dw.stride);
  if (db != nullptr) kernels<T>().column_sums(db, dz, accumulate);
}

template <class T>
void input_gradient(Arithmetic arithmetic, MatrixView<T> dx, ConstMatrixView<T> dz,
                    const Weights<T>& weights, bool accumulate) {
  if (arithmetic == Arithmetic::exact) {
    return kernels<T>().multiply(dx, as_it_is<T>(dz), dz.cols,
                                 in_panels(weights.transposed, dz.cols), nullptr, accumulate);
  }
  const ConstMatrixView<T> w = weights.w;
  blas::gemm(Transpose::no, Transpose::yes, dx.rows, dx.cols, dz.cols, dz.data, dz.stride, w.data,
             w.stride, accumulate ? T(1) : T(0), dx.data, dx.stride);
}

template index_t transposed_size<float>(Arithmetic, index_t, index_t);
template void transpose(float*, ConstMatrixView<float>, index_t, index_t);
template void forward(Arithmetic, MatrixView<float>, ConstMatrixView<float>, ConstMatrixView<float>,
                      const float*);
template void forward_columns(MatrixView<float>, ConstMatrixView<float>, ConstMatrixView<float>,
                              const float*, Range);
template void weights_gradient(Arithmetic, MatrixView<float>, float*, ConstMatrixView<float>,
                               ConstMatrixView<float>, index_t, bool);
template void input_gradient(Arithmetic, MatrixView<float>, ConstMatrixView<float>,
                             const Weights<float>&, bool);
template index_t transposed_size<double>(Arithmetic, index_t, index_t);
template void transpose(double*, ConstMatrixView<double>, index_t, index_t);
template void forward(Arithmetic, MatrixView<double>, ConstMatrixView<double>,
                      ConstMatrixView<double>, const double*);
template void forward_columns(MatrixView<double>, ConstMatrixView<double>, ConstMatrixView<double>,
                              const double*, Range);
template void weights_gradient(Arithmetic, MatrixView<double>, double*, ConstMatrixView<double>,
                               ConstMatrixView<double>, index_t, bool);
template void input_gradient(Arithmetic, MatrixView<double>, ConstMatrixView<double>,
                             const Weights<double>&, bool);

}  // namespace pymlp::product

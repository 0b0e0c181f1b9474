// The three products of a dense layer: the seam between the arithmetics. `exact` computes every
// element as the chains of fused multiply-adds that panels.hpp defines, `blas` hands it on.
//
// Biases follow the weights in an arena, as the weights of an implicit input of ones.
//
// Shapes: x (m, n_in), z and dz (m, n_out), w (n_in, n_out), biases (n_out,) or null. The padding
// of a result, between its columns and its stride, may be overwritten; behind the last row of w,
// biases and dz as many elements must be readable as padded_columns() adds.
#pragma once

#include "base/range.hpp"
#include "base/view.hpp"
#include "kernels/arithmetic.hpp"

namespace pymlp::product {

// A layer's weights, and their transpose in panels, null where there is none.
template <class T>
struct Weights {
  ConstMatrixView<T> w;
  const T* transposed = nullptr;  // the gradient of the inputs needs it
};

// Elements of the transpose of w in panels, 0 where nothing reads it; transpose() writes the rows
// [first, first + count) of w to it.
template <class T>
index_t transposed_size(Arithmetic arithmetic, index_t n_in, index_t n_out);
template <class T>
void transpose(T* transposed, ConstMatrixView<T> w, index_t first, index_t count);

// z = x w + biases.
template <class T>
void forward(Arithmetic arithmetic, MatrixView<T> z, ConstMatrixView<T> x, ConstMatrixView<T> w,
             const T* biases);

// `exact` alone: some columns of z, from a multiple of 32 to another one or the last: parts that
// different threads compute at the same time do not touch one another.
template <class T>
void forward_columns(MatrixView<T> z, ConstMatrixView<T> x, ConstMatrixView<T> w, const T* biases,
                     Range columns);

// dw = x^T dz and db = column sums of dz, for the inputs [first, first + dw.rows). db (n_out,) may
// be null; samples are summed in ascending order. With `accumulate` the sums are added to what
// stands in dw and db: a batch that is cut at multiples of kChain samples and accumulated gives the
// same bits as one call (`exact`).
template <class T>
void weights_gradient(Arithmetic arithmetic, MatrixView<T> dw, T* db, ConstMatrixView<T> x,
                      ConstMatrixView<T> dz, index_t first, bool accumulate);

// dx = dz w^T, or dx += dz w^T.
template <class T>
void input_gradient(Arithmetic arithmetic, MatrixView<T> dx, ConstMatrixView<T> dz,
                    const Weights<T>& weights, bool accumulate);

}  // namespace pymlp::product

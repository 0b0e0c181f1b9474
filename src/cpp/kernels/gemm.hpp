// The three matrix products of a dense layer. Nobody above this seam knows which library ran them.
#pragma once

#include "base/view.hpp"

namespace pymlp::gemm {

// z (m, n_out) = x (m, n_in) w (n_in, n_out) + biases (n_out,); without biases where these are
// null.
template <class T>
void forward(MatrixView<T> z, ConstMatrixView<T> x, ConstMatrixView<T> w, const T* biases);

// dw (n_in, n_out) = x^T (n_in, m) dz (m, n_out), rows [first, first + dw.rows) of n_in.
template <class T>
void weights_gradient(MatrixView<T> dw, ConstMatrixView<T> x, ConstMatrixView<T> dz, index_t first);

// dx (m, n_in) = dz (m, n_out) w^T (n_out, n_in).
template <class T>
void input_gradient(MatrixView<T> dx, ConstMatrixView<T> dz, ConstMatrixView<T> w);

}  // namespace pymlp::gemm

// The three products of a dense layer. Behind this seam stand the package's own kernels and a BLAS;
// nobody above it knows which ran. Own kernels compute every element as one chain of fused
// multiply-adds in ascending order: the same bits for any number of rows and on every ISA. BLAS
// promises nothing of the kind.
//
// Shapes: x (m, n_in), z and dz (m, n_out), w (n_in, n_out), biases (n_out,) or null. What lies
// between the columns and the stride of a result may be overwritten; behind the last column of w,
// biases and dz there must be memory, up to padded_columns of theirs.
#pragma once

#include <string_view>

#include "base/view.hpp"

namespace pymlp::gemm {

enum class Backend { native, blas };

// As PYMLP_GEMM says: native, blas, or auto, which takes the own kernels where the processor has
// fused multiply-adds.
Backend backend();
std::string_view name_of(Backend backend);

// z = x w + biases.
template <class T>
void forward(MatrixView<T> z, ConstMatrixView<T> x, ConstMatrixView<T> w, const T* biases);

// dw = x^T dz, for the inputs [first, first + dw.rows).
template <class T>
void weights_gradient(MatrixView<T> dw, ConstMatrixView<T> x, ConstMatrixView<T> dz, index_t first);

// Room for w's transpose as input_gradient reads it, and filling it: inputs [first, first + count).
template <class T>
index_t transposed_size(index_t n_in, index_t n_out);
template <class T>
void transpose(T* transposed, ConstMatrixView<T> w, index_t first, index_t count);

// dx = dz w^T.
template <class T>
void input_gradient(MatrixView<T> dx, ConstMatrixView<T> dz, ConstMatrixView<T> w,
                    const T* transposed);

}  // namespace pymlp::gemm

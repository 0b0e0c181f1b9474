// The three products of a dense layer. Behind this seam stand the package's own kernels and a BLAS;
// nobody above it knows which ran. Own kernels compute every element as the chains of fused
// multiply-adds that product.hpp fixes: the same bits for any number of rows and on every ISA. BLAS
// promises nothing of the kind.
//
// Biases lie behind the weights in an arena, as those of one more input that is always 1.
//
// Shapes: x (m, n_in), z and dz (m, n_out), w (n_in, n_out), biases (n_out,) or null. What lies
// between the columns and the stride of a result may be overwritten; behind the last column of w,
// biases and dz there must be memory, up to padded_columns of theirs.
#pragma once

#include <string_view>

#include "base/view.hpp"

namespace pymlp::product {

enum class Backend { native, blas };

// As PYMLP_GEMM says: native, blas, or auto, which takes the own kernels where the processor has
// fused multiply-adds.
Backend backend();
std::string_view name_of(Backend backend);

// A layer's weights, and what is kept of them in other layouts; null where nothing is.
template <class T>
struct Weights {
  ConstMatrixView<T> w;
  const T* panels = nullptr;
  const T* transposed = nullptr;  // the gradient of the inputs needs it
};

// Room for w in panels, 0 where they are of no use, and for its transpose; filling them with the
// rows [first, first + count) of w.
template <class T>
index_t panels_size(index_t n_in, index_t n_out);
template <class T>
index_t transposed_size(index_t n_in, index_t n_out);
template <class T>
void pack(T* panels, ConstMatrixView<T> w, index_t first, index_t count);
template <class T>
void transpose(T* transposed, ConstMatrixView<T> w, index_t first, index_t count);

// z = x w + biases.
template <class T>
void forward(MatrixView<T> z, ConstMatrixView<T> x, const Weights<T>& weights, const T* biases);

// dw = x^T dz and db = column sums of dz, for the inputs [first, first + dw.rows). db (n_out,) may
// be null; samples are summed in ascending order. With `accumulate` the sums are added to what
// stands in dw and db: a batch that is cut at multiples of kChain samples and accumulated gives the
// same bits as one call (`native`).
template <class T>
void weights_gradient(MatrixView<T> dw, T* db, ConstMatrixView<T> x, ConstMatrixView<T> dz,
                      index_t first, bool accumulate);

// dx = dz w^T.
template <class T>
void input_gradient(MatrixView<T> dx, ConstMatrixView<T> dz, const Weights<T>& weights);

}  // namespace pymlp::product

#include "kernels/gemm.hpp"

#include "kernels/blas.hpp"
#include "kernels/table.hpp"

namespace pymlp::gemm {

using blas::Transpose;

template <class T>
void forward(MatrixView<T> z, ConstMatrixView<T> x, ConstMatrixView<T> w, const T* biases) {
  if (biases != nullptr) kernels<T>().fill_rows(z, biases);
  blas::gemm(Transpose::no, Transpose::no, z.rows, z.cols, x.cols, x.data, x.stride, w.data,
             w.stride, biases != nullptr ? T(1) : T(0), z.data, z.stride);
}

template <class T>
void weights_gradient(MatrixView<T> dw, ConstMatrixView<T> x, ConstMatrixView<T> dz,
                      index_t first) {
  blas::gemm(Transpose::yes, Transpose::no, dw.rows, dw.cols, x.rows, x.data + first, x.stride,
             dz.data, dz.stride, T(0), dw.data, dw.stride);
}

template <class T>
void input_gradient(MatrixView<T> dx, ConstMatrixView<T> dz, ConstMatrixView<T> w) {
  blas::gemm(Transpose::no, Transpose::yes, dx.rows, dx.cols, dz.cols, dz.data, dz.stride, w.data,
             w.stride, T(0), dx.data, dx.stride);
}

template void forward(MatrixView<float>, ConstMatrixView<float>, ConstMatrixView<float>,
                      const float*);
template void forward(MatrixView<double>, ConstMatrixView<double>, ConstMatrixView<double>,
                      const double*);
template void weights_gradient(MatrixView<float>, ConstMatrixView<float>, ConstMatrixView<float>,
                               index_t);
template void weights_gradient(MatrixView<double>, ConstMatrixView<double>, ConstMatrixView<double>,
                               index_t);
template void input_gradient(MatrixView<float>, ConstMatrixView<float>, ConstMatrixView<float>);
template void input_gradient(MatrixView<double>, ConstMatrixView<double>, ConstMatrixView<double>);

}  // namespace pymlp::gemm

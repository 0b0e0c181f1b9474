// The BLAS library as a file: opened, its functions found by name.
#pragma once

#include "kernels/blas.hpp"

namespace pymlp::blas {

// As every cblas.h declares them: enumerations are ints.
template <class T>
using Gemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, T alpha,
                      const T* a, int lda, const T* b, int ldb, T beta, T* c, int ldc);

struct Library {
  Gemm<float> sgemm;
  Gemm<double> dgemm;
  Description description;
};

Library open_library();
Description unopened();

}  // namespace pymlp::blas

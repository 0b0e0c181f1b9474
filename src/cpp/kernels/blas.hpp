// The BLAS behind product.hpp: a library beside the module, opened when it is chosen.
#pragma once

#include <string>

#include "base/view.hpp"

namespace pymlp::blas {

enum class Transpose { no, yes };

// Whether the package was built with one.
bool is_built_in();
bool is_loaded();
// Opens the library; throws where there is none. Afterwards it costs nothing.
void load();

// C (m, n) = op(A) (m, k) op(B) (k, n) + beta C, row-major.
template <class T>
void gemm(Transpose transpose_a, Transpose transpose_b, index_t m, index_t n, index_t k, const T* a,
          index_t stride_a, const T* b, index_t stride_b, T beta, T* c, index_t stride_c);

struct Description {
  std::string library;
  std::string version;
  std::string kernels;  // the processor that the library chose its kernels for, or "not loaded"
  std::string path;
};

// Loads nothing.
Description describe();

}  // namespace pymlp::blas

// Views: matrices in memory that others own. Row-major, `stride` elements between
// rows.
#pragma once

#include <cstddef>

// Kernels are compiled once per instruction set; an inline function that the compiler chose to emit
// could be merged by the linker with a copy that uses wider instructions. Forced inlining rules it
// out.
#define PYMLP_INLINE [[gnu::always_inline]] inline

namespace pymlp {

using index_t = std::ptrdiff_t;
static_assert(sizeof(index_t) == 8);

template <class T>
struct MatrixView {
  T* data = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  index_t stride = 0;

  PYMLP_INLINE T* row(index_t i) const { return data + i * stride; }
  PYMLP_INLINE MatrixView slice(index_t first, index_t count) const {
    return {row(first), count, cols, stride};
  }
  PYMLP_INLINE MatrixView columns(index_t first, index_t count) const {
    return {data + first, rows, count, stride};
  }
};

template <class T>
struct ConstMatrixView {
  const T* data = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  index_t stride = 0;

  ConstMatrixView() = default;
  PYMLP_INLINE ConstMatrixView(const T* data, index_t rows, index_t cols, index_t stride)
      : data(data), rows(rows), cols(cols), stride(stride) {}
  // A matrix that may be written may also be read, so this conversion is implicit.
  PYMLP_INLINE ConstMatrixView(const MatrixView<T>& m)
      : data(m.data), rows(m.rows), cols(m.cols), stride(m.stride) {}

  PYMLP_INLINE const T* row(index_t i) const { return data + i * stride; }
  PYMLP_INLINE ConstMatrixView slice(index_t first, index_t count) const {
    return {row(first), count, cols, stride};
  }
  PYMLP_INLINE ConstMatrixView columns(index_t first, index_t count) const {
    return {data + first, rows, count, stride};
  }
};

}  // namespace pymlp

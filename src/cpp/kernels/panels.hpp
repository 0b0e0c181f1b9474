// The layouts of the operands of a product, and the order of its sums.
#pragma once

#include "base/view.hpp"

namespace pymlp {

// KC, the length of a chain. Every element of a product is a chain of fused multiply-adds in
// ascending order of the summed index, from its start (the bias) or 0. After kChain terms a new
// chain begins at 0 and is added to the sum so far: rounding errors grow with the length of a
// chain.
inline constexpr index_t kChain = 256;

// A matrix or its transpose: element (i, p) lies at data[i * row_stride + p * column_stride].
template <class T>
struct Strided {
  const T* data;
  index_t row_stride;
  index_t column_stride;
};

template <class T>
Strided<T> as_it_is(ConstMatrixView<T> m) {
  return {m.data, m.stride, 1};
}

template <class T>
Strided<T> transposed(ConstMatrixView<T> m) {
  return {m.data, 1, m.stride};
}

// A matrix whose columns lie in panels of the table's `panel_width`: element (p, j) of a panel lies
// at data[panel * panel_stride + p * row_stride + j]. In a plain matrix the panels lie side by
// side. Whole vectors are read: elements behind the last column, up to `padded_columns`, must be
// readable.
template <class T>
struct Panels {
  const T* data;
  index_t row_stride;
  index_t panel_stride;
};

// Columns with padding: those that a product may read, and write where the stride is large enough.
// Always inline: no code of one instruction set may be shared with another's.
template <class T>
[[gnu::always_inline]] constexpr index_t padded_columns(index_t cols) {
  constexpr index_t quarter = 16 / sizeof(T);  // of the widest vector
  const index_t unit = cols <= quarter ? quarter : cols <= 16 * quarter ? 2 * quarter : 4 * quarter;
  return (cols + unit - 1) / unit * unit;
}

// The stride of matrices in workspaces. Rows whole kilobytes apart would share a few sets of the
// cache.
template <class T>
[[gnu::always_inline]] constexpr index_t padded_stride(index_t cols) {
  constexpr index_t line = 64 / sizeof(T);
  const index_t padded = padded_columns<T>(cols);
  return padded % (16 * line) == 0 ? padded + line : padded;
}

}  // namespace pymlp

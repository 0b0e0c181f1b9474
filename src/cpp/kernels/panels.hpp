// What the products of a dense layer read, and how matrices are laid out for them.
#pragma once

#include "base/view.hpp"

namespace pymlp {

// Every element of a product is a chain of fused multiply-adds in ascending order of the summed
// index, from its start (the bias) or 0. After this many terms a new chain begins at 0 and is added
// to what there is: rounding errors grow with the length of a chain.
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
// side. Whole vectors are read: what lies behind the last column, up to `padded_columns`, must be
// memory.
template <class T>
struct Panels {
  const T* data;
  index_t row_stride;
  index_t panel_stride;
};

// Columns that a product may read, and write where the stride leaves room for them.
template <class T>
constexpr index_t padded_columns(index_t cols) {
  constexpr index_t quarter = 16 / sizeof(T);  // of the widest vector
  const index_t unit = cols <= quarter ? quarter : cols <= 16 * quarter ? 2 * quarter : 4 * quarter;
  return (cols + unit - 1) / unit * unit;
}

// The distance of rows in matrices of our own. Rows at a distance of whole kilobytes would compete
// for a few lines of the cache.
template <class T>
constexpr index_t padded_stride(index_t cols) {
  constexpr index_t line = 64 / sizeof(T);
  const index_t padded = padded_columns<T>(cols);
  return padded % (16 * line) == 0 ? padded + line : padded;
}

}  // namespace pymlp

// Rows of samples become columns of a matrix in lanes, and back. Included only by lanes.cpp.
#pragma once

#include <utility>

#include "base/view.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/transpose_blocks.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// One column: as one vector, since what reads it next would wait for a store of each number.
template <class T, class Rows, int... l>
PYMLP_INLINE void column_to_lanes(T* lanes, const Rows& rows, std::integer_sequence<int, l...>) {
  store<T, sizeof...(l)>(lanes, Vector<T, sizeof...(l)>{*rows[l]...});
}

// As many samples as a vector has lanes; fewer columns than a block is wide are moved two by two.
template <class T, class Rows>
PYMLP_INLINE void rows_to_lanes(T* lanes, index_t stride, index_t columns, const Rows& rows) {
  constexpr int w = kWidth<T>;
  if (columns >= kBlock<T>) return rows_to_columns<T, kBlock<T>, w>(lanes, stride, columns, rows);
  if constexpr (kBlock<T> > 2) {
    if (columns >= 2) return rows_to_columns<T, 2, w>(lanes, stride, columns, rows);
  }
  column_to_lanes(lanes, rows, std::make_integer_sequence<int, w>());
}

template <class T, class Rows>
PYMLP_INLINE void lanes_to_rows(const Rows& rows, index_t columns, const T* lanes, index_t stride) {
  constexpr int w = kWidth<T>;
  if (columns >= kBlock<T>) return columns_to_rows<T, kBlock<T>, w>(rows, columns, lanes, stride);
  if constexpr (kBlock<T> > 2) {
    if (columns >= 2) return columns_to_rows<T, 2, w>(rows, columns, lanes, stride);
  }
  PYMLP_UNROLL
  for (int l = 0; l < w; ++l) *rows[l] = lanes[l];
}

// Rows of x in an order, or those from `first` on. Lanes behind the last sample repeat it.
template <class T>
void to_lanes(const MatrixView<T>& lanes, const ConstMatrixView<T>& x, const index_t* order,
              index_t first, index_t count) {
  constexpr int w = kWidth<T>;
  for (index_t at = 0; at < lanes.cols; at += w) {
    T* to = lanes.data + at;
    const index_t left = count - at;
    if (order == nullptr && left >= w) {
      const EvenRows<const T, w> rows(x.data + (first + at) * x.stride, x.stride);
      rows_to_lanes(to, lanes.stride, lanes.rows, rows);
      continue;
    }
    const T* rows[w];
    PYMLP_UNROLL
    for (index_t l = 0; l < w; ++l) {
      const index_t i = left > l ? at + l : count - 1;
      rows[l] = x.data + (order != nullptr ? order[i] : first + i) * x.stride;
    }
    rows_to_lanes(to, lanes.stride, lanes.rows, ListedRows<const T>(rows));
  }
}

template <class T>
void from_lanes(const MatrixView<T>& y, const ConstMatrixView<T>& lanes) {
  constexpr int w = kWidth<T>;
  index_t i = 0;
  for (; i + w <= y.rows; i += w) {
    lanes_to_rows(EvenRows<T, w>(y.row(i), y.stride), y.cols, lanes.data + i, lanes.stride);
  }
  for (; i < y.rows; ++i) {
    const T* from = lanes.data + i;
    for (index_t j = 0; j < y.cols; ++j) y.row(i)[j] = from[j * lanes.stride];
  }
}

}  // namespace
}  // namespace pymlp

// Rows of samples become columns of a matrix in lanes, and back. Included only by lanes.cpp.
#pragma once

#include "base/view.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// 16 samples, whose rows row(0), row(1), ... tells.
template <class T, class Row>
PYMLP_INLINE void group_to_lanes(MatrixView<T> lanes, index_t at, ConstMatrixView<T> x, Row row) {
  const T* from[kLanes];
  PYMLP_UNROLL
  for (index_t l = 0; l < kLanes; ++l) from[l] = x.data + row(l) * x.stride;
  T* to = lanes.data + at;
  for (index_t j = 0; j < lanes.rows; ++j) {
    PYMLP_UNROLL
    for (index_t l = 0; l < kLanes; ++l) to[l] = from[l][j];
    to += lanes.stride;
  }
}

template <class T>
void to_lanes(MatrixView<T> lanes, ConstMatrixView<T> x, const index_t* rows, index_t first,
              index_t count) {
  for (index_t at = 0; at < lanes.cols; at += kLanes) {
    const index_t last = count - at - 1;
    if (last < kLanes - 1) {
      group_to_lanes(lanes, at, x, [&](index_t l) {
        const index_t i = at + (l < last ? l : last);
        return rows != nullptr ? rows[i] : first + i;
      });
    } else if (rows != nullptr) {
      group_to_lanes(lanes, at, x, [&](index_t l) { return rows[at + l]; });
    } else {
      group_to_lanes(lanes, at, x, [&](index_t l) { return first + at + l; });
    }
  }
}

template <class T>
void from_lanes(MatrixView<T> y, ConstMatrixView<T> lanes) {
  for (index_t i = 0; i < y.rows; ++i) {
    T* to = y.row(i);
    const T* from = lanes.data + i;
    for (index_t j = 0; j < y.cols; ++j) to[j] = from[j * lanes.stride];
  }
}

}  // namespace
}  // namespace pymlp

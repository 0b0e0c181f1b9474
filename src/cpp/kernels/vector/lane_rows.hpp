// Rows of samples become columns of a matrix in lanes, and back. Included only by lanes.cpp.
#pragma once

#include <type_traits>
#include <utility>

#include "base/view.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// Number j of some rows, as one vector: what reads it next would wait for a store of each number.
template <class T, index_t... l>
PYMLP_INLINE Vector<T, sizeof...(l)> numbers_of(const T* const* rows, index_t j,
                                                std::integer_sequence<index_t, l...>) {
  return Vector<T, sizeof...(l)>{rows[l][j]...};
}

// The same of numbers j and j + 1, moved two at a time.
template <int... l, index_t... pair>
PYMLP_INLINE void store_two(float* to, index_t stride, const float* const* rows, index_t j,
                            std::integer_sequence<int, l...>,
                            std::integer_sequence<index_t, pair...>) {
  constexpr int w = sizeof...(l);
  typedef double Two __attribute__((aligned(alignof(float)), may_alias));
  const auto two = [&](index_t i) { return *reinterpret_cast<const Two*>(rows[i] + j); };
  using Floats = Vector<float, w>;
  const Floats a = reinterpret_cast<Floats>(Vector<double, w / 2>{two(pair)...});
  const Floats b = reinterpret_cast<Floats>(Vector<double, w / 2>{two(w / 2 + pair)...});
  store<float, w>(to, __builtin_shufflevector(a, b, (2 * l)...));
  store<float, w>(to + stride, __builtin_shufflevector(a, b, (2 * l + 1)...));
}

// 16 samples, whose rows row(0), row(1), ... tells.
template <class T, class Row>
PYMLP_INLINE void group_to_lanes(const MatrixView<T>& lanes, index_t at,
                                 const ConstMatrixView<T>& x, Row row) {
  constexpr int w = kWidth<T>;
  const T* from[kLanes];
  PYMLP_UNROLL
  for (index_t l = 0; l < kLanes; ++l) from[l] = x.data + row(l) * x.stride;
  T* to = lanes.data + at;
  index_t j = 0;
  if constexpr (std::is_same_v<T, float>) {
    for (; j + 2 <= lanes.rows; j += 2) {
      PYMLP_UNROLL
      for (index_t l = 0; l < kLanes; l += w) {
        store_two(to + l, lanes.stride, from + l, j, std::make_integer_sequence<int, w>(),
                  std::make_integer_sequence<index_t, w / 2>());
      }
      to += 2 * lanes.stride;
    }
  }
  for (; j < lanes.rows; ++j) {
    PYMLP_UNROLL
    for (index_t l = 0; l < kLanes; l += w) {
      store<T, w>(to + l, numbers_of(from + l, j, std::make_integer_sequence<index_t, w>()));
    }
    to += lanes.stride;
  }
}

template <class T>
void to_lanes(const MatrixView<T>& lanes, const ConstMatrixView<T>& x, const index_t* rows,
              index_t first, index_t count) {
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
void from_lanes(const MatrixView<T>& y, const ConstMatrixView<T>& lanes) {
  for (index_t i = 0; i < y.rows; ++i) {
    T* to = y.row(i);
    const T* from = lanes.data + i;
    for (index_t j = 0; j < y.cols; ++j) to[j] = from[j * lanes.stride];
  }
}

}  // namespace
}  // namespace pymlp

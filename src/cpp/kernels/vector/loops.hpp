// Loops that the compiler turns into vectors. Included only by the sources compiled once per ISA.
#pragma once

#include "base/view.hpp"

// Vectorise the next loop without a check for overlap: its arrays are equal or disjoint.
#if defined(__clang__)
#define PYMLP_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
#else
#define PYMLP_VECTOR_LOOP _Pragma("GCC ivdep")
#endif

namespace pymlp {
namespace {

// No padding between rows, or so little that computing it too costs less than a loop for each row.
template <class First, class... Rest>
PYMLP_INLINE bool almost_contiguous(const First& first, const Rest&... rest) {
  constexpr index_t kSmallGap = 16;
  return first.stride - first.cols < kSmallGap && ((rest.stride == first.stride) && ...);
}

// body(columns, pointers to a row of each view) for every row, or once for the whole matrix where
// it is almost contiguous: a narrow matrix is then one long row that fills vectors. The padding
// between rows is scratch, and is computed too.
template <class Body, class First, class... Rest>
PYMLP_INLINE void for_rows(Body body, const First& first, const Rest&... rest) {
  const bool as_one = almost_contiguous(first, rest...);
  const index_t rows = as_one ? 1 : first.rows;
  const index_t cols = as_one ? (first.rows - 1) * first.stride + first.cols : first.cols;
  for (index_t i = 0; i < rows; ++i) body(cols, first.row(i), rest.row(i)...);
}

// Reductions run in 16 lanes, whatever the width of the machine's vectors, and the lanes are folded
// in one order: the same bits on every ISA.
inline constexpr index_t kLanes = 16;

// Lanes are added in pairs.
template <class T>
PYMLP_INLINE T folded(T (&lanes)[kLanes]) {
  for (index_t half = kLanes / 2; half > 0; half /= 2) {
    for (index_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

// lanes take elements in turn through `take`, and are folded through `fold`.
template <class T, class S, class Take, class Fold>
PYMLP_INLINE S reduce(const T* x, index_t n, S start, Take take, Fold fold) {
  S lanes[kLanes];
  for (index_t l = 0; l < kLanes; ++l) lanes[l] = start;
  index_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    for (index_t l = 0; l < kLanes; ++l) lanes[l] = take(lanes[l], static_cast<S>(x[j + l]));
  }
  for (index_t l = 0; j < n; ++j, ++l) lanes[l] = take(lanes[l], static_cast<S>(x[j]));
  for (index_t half = kLanes / 2; half > 0; half /= 2) {
    for (index_t l = 0; l < half; ++l) lanes[l] = fold(lanes[l], lanes[l + half]);
  }
  return lanes[0];
}

// The sum of products, in the same order.
template <class T>
PYMLP_INLINE T dot_of(const T* x, const T* y, index_t n) {
  T lanes[kLanes] = {};
  index_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    for (index_t l = 0; l < kLanes; ++l) lanes[l] += x[j + l] * y[j + l];
  }
  for (index_t l = 0; j < n; ++j, ++l) lanes[l] += x[j] * y[j];
  return folded(lanes);
}

template <class T>
PYMLP_INLINE T sum_of(const T* x, index_t n) {
  const auto add = [](T a, T b) { return a + b; };
  return reduce(x, n, T(0), add, add);
}

template <class T>
PYMLP_INLINE T largest_of(const T* x, index_t n) {
  const auto larger = [](T a, T b) { return b > a ? b : a; };
  return reduce(x, n, x[0], larger, larger);
}

}  // namespace
}  // namespace pymlp

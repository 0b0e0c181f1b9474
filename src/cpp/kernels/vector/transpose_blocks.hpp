// Blocks of q numbers of q rows, transposed in registers, as many side by side as fill a vector.
// Included only by sources compiled once per ISA.
#pragma once

#include <utility>

#include "base/view.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// q: of 16 bytes, which no ISA's shuffles have to leave.
template <class T>
inline constexpr int kBlock = 16 / static_cast<int>(sizeof(T));

// Rows anywhere.
template <class T>
class ListedRows {
 public:
  PYMLP_INLINE explicit ListedRows(T* const* rows) : rows_(rows) {}
  PYMLP_INLINE T* operator[](int l) const { return rows_[l] + j_; }
  PYMLP_INLINE void advance(index_t columns) { j_ += columns; }

 private:
  T* const* rows_;
  index_t j_ = 0;
};

// n rows at one distance. Four share a pointer, so that few registers hold the distances of all.
template <class T, int n>
class EvenRows {
 public:
  PYMLP_INLINE EvenRows(T* first, index_t stride) : one_(stride), three_(3 * stride) {
    PYMLP_UNROLL
    for (int g = 0; g < kGroups; ++g) pointers_[g] = first + 4 * g * stride;
  }
  PYMLP_INLINE T* operator[](int l) const {
    return pointers_[l / 4] + (l % 4 == 3 ? three_ : l % 4 * one_);
  }
  PYMLP_INLINE void advance(index_t columns) {
    PYMLP_UNROLL
    for (int g = 0; g < kGroups; ++g) pointers_[g] += columns;
  }

 private:
  static constexpr int kGroups = (n + 3) / 4;
  T* pointers_[kGroups];
  index_t one_, three_;
};

template <class T, int n, int... l>
PYMLP_INLINE Vector<T, 2 * n> side_by_side(const Vector<T, n>& a, const Vector<T, n>& b,
                                           std::integer_sequence<int, l...>) {
  return __builtin_shufflevector(a, b, l...);
}

template <class T, int n, int first, int... l>
PYMLP_INLINE Vector<T, n / 2> half_of(const Vector<T, n>& v, std::integer_sequence<int, l...>) {
  return __builtin_shufflevector(v, v, (first + l)...);
}

// q numbers of each of n rows, every q-th from the first on, side by side.
template <class T, int q, int n, class Rows>
PYMLP_INLINE Vector<T, q * n> read_rows(const Rows& rows, int first) {
  if constexpr (n > 1) {
    return side_by_side<T, q * n / 2>(read_rows<T, q, n / 2>(rows, first),
                                      read_rows<T, q, n / 2>(rows, first + q * n / 2),
                                      std::make_integer_sequence<int, q * n>());
  } else {
    return load<T, q>(rows[first]);
  }
}

// The same, back to the rows.
template <class T, int q, int n, class Rows>
PYMLP_INLINE void write_rows(const Rows& rows, int first, const Vector<T, q * n>& v) {
  if constexpr (n > 1) {
    using Half = std::make_integer_sequence<int, q * n / 2>;
    write_rows<T, q, n / 2>(rows, first, half_of<T, q * n, 0>(v, Half()));
    write_rows<T, q, n / 2>(rows, first + q * n / 2, half_of<T, q * n, q * n / 2>(v, Half()));
  } else {
    store<T, q>(rows[first], v);
  }
}

// In every block of q numbers, those of a half of a's and of b's by turns, `run` of each.
template <class T, int q, int half, int run, int... l>
PYMLP_INLINE Vector<T, sizeof...(l)> interleave(const Vector<T, sizeof...(l)>& a,
                                                const Vector<T, sizeof...(l)>& b,
                                                std::integer_sequence<int, l...>) {
  constexpr auto from = [](int to) {
    const int at = to % q, turn = at / run;
    return (turn % 2 == 0 ? 0 : static_cast<int>(sizeof...(l))) + to - at + half * (q / 2) +
           turn / 2 * run + at % run;
  };
  return __builtin_shufflevector(a, b, from(l)...);
}

// Every block of q by q numbers: its rows become its columns, and the other way.
template <class T, int q, class V>
PYMLP_INLINE void transpose_blocks(V (&v)[q]) {
  using All = std::make_integer_sequence<int, static_cast<int>(sizeof(V) / sizeof(T))>;
  if constexpr (q == 2) {
    const V a = v[0], b = v[1];
    v[0] = interleave<T, q, 0, 1>(a, b, All());
    v[1] = interleave<T, q, 1, 1>(a, b, All());
  } else {
    const V a = interleave<T, q, 0, 1>(v[0], v[1], All());
    const V b = interleave<T, q, 1, 1>(v[0], v[1], All());
    const V c = interleave<T, q, 0, 1>(v[2], v[3], All());
    const V d = interleave<T, q, 1, 1>(v[2], v[3], All());
    v[0] = interleave<T, q, 0, 2>(a, c, All());
    v[1] = interleave<T, q, 1, 2>(a, c, All());
    v[2] = interleave<T, q, 0, 2>(b, d, All());
    v[3] = interleave<T, q, 1, 2>(b, d, All());
  }
}

// body(rows, j) for q of the columns at a time, at least q in all; the last overlap those before.
template <int q, class Rows, class Body>
PYMLP_INLINE void for_columns(Rows rows, index_t columns, Body body) {
  index_t j = 0;
  for (; j + q < columns; j += q) {
    body(rows, j);
    rows.advance(q);
  }
  rows.advance(columns - q - j);
  body(rows, columns - q);
}

// As many rows as a vector of `size` has lanes become columns of vectors, `stride` apart.
template <class T, int q, int size, class Rows>
PYMLP_INLINE void rows_to_columns(T* to, index_t stride, index_t columns, const Rows& rows) {
  for_columns<q>(rows, columns, [&](const Rows& at, index_t j) {
    Vector<T, size> v[q];
    PYMLP_UNROLL
    for (int i = 0; i < q; ++i) v[i] = read_rows<T, q, size / q>(at, i);
    transpose_blocks<T, q>(v);
    PYMLP_UNROLL
    for (int i = 0; i < q; ++i) store<T, size>(to + (j + i) * stride, v[i]);
  });
}

// The same, back to the rows.
template <class T, int q, int size, class Rows>
PYMLP_INLINE void columns_to_rows(const Rows& rows, index_t columns, const T* from,
                                  index_t stride) {
  for_columns<q>(rows, columns, [&](const Rows& at, index_t j) {
    Vector<T, size> v[q];
    PYMLP_UNROLL
    for (int i = 0; i < q; ++i) v[i] = load<T, size>(from + (j + i) * stride);
    transpose_blocks<T, q>(v);
    PYMLP_UNROLL
    for (int i = 0; i < q; ++i) write_rows<T, q, size / q>(at, i, v[i]);
  });
}

}  // namespace
}  // namespace pymlp

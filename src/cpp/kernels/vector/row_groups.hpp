// Matrices of few columns, computed 16 rows at a time: transposed, a column of 16 rows is whole
// vectors however few columns there are. Each row has its lane, in which sums run in ascending
// order of columns, so its result depends neither on its place nor on the rows beside it. Included
// only by sources compiled once per ISA.
#pragma once

#include "kernels/vector/loops.hpp"
#include "kernels/vector/math/math.hpp"

namespace pymlp {
namespace {

// Rows of more columns fill vectors by themselves; up to here groups were found to be faster.
inline constexpr index_t kMostGroupColumns = 32;

// A column of a matrix with samples as lanes is taken further at a time: of several vectors, the
// sequences of operations run side by side instead of one after the other.
template <class T>
inline constexpr index_t kManyLanes = 256 / static_cast<index_t>(sizeof(T));

// The next rows of a group, or the fewer that are left. Unused lanes repeat the last row, so that
// they compute with no other numbers than the batch's, and are not written.
struct GroupRows {
  index_t first, count;
};

// body(rows) for one group after the other.
template <class Body>
PYMLP_INLINE void for_groups(index_t rows, Body body) {
  for (index_t first = 0; first < rows; first += kLanes) {
    body(GroupRows{first, rows - first < kLanes ? rows - first : kLanes});
  }
}

// A number for each row of a group; in memory, `stride` apart. Whole groups have separate loops,
// whose length the compiler knows; those of more than kLanes are whole.
template <class T, index_t n = kLanes>
struct Lanes {
  alignas(64) T lane[n];

  PYMLP_INLINE T& operator[](index_t l) { return lane[l]; }
  PYMLP_INLINE const T& operator[](index_t l) const { return lane[l]; }

  template <class S>
  PYMLP_INLINE void read(const S* numbers, index_t stride, const GroupRows& rows) {
    const S* from = numbers + rows.first * stride;
    if (n > kLanes || rows.count == n) {
      for (index_t l = 0; l < n; ++l) lane[l] = static_cast<T>(from[l * stride]);
      return;
    }
    for (index_t l = 0; l < n; ++l) lane[l] = static_cast<T>(from[(rows.count - 1) * stride]);
    for (index_t l = 0; l < rows.count; ++l) lane[l] = static_cast<T>(from[l * stride]);
  }

  PYMLP_INLINE void write(T* numbers, index_t stride, const GroupRows& rows) const {
    T* to = numbers + rows.first * stride;
    if (n > kLanes || rows.count == n) {
      for (index_t l = 0; l < n; ++l) to[l * stride] = lane[l];
      return;
    }
    for (index_t l = 0; l < rows.count; ++l) to[l * stride] = lane[l];
  }
};

// The rows of a group, transposed.
template <class T, index_t n = kLanes>
struct RowGroup {
  Lanes<T, n> column[kMostGroupColumns];

  PYMLP_INLINE Lanes<T, n>& operator[](index_t j) { return column[j]; }
  PYMLP_INLINE const Lanes<T, n>& operator[](index_t j) const { return column[j]; }

  // `in_lanes`: the matrix is transposed already, and groups are whole; of many lanes it always is.
  PYMLP_INLINE void read(const ConstMatrixView<T>& m, const GroupRows& rows,
                         bool in_lanes = false) {
    if (n > kLanes || in_lanes) {
      for (index_t j = 0; j < m.rows; ++j) {
        const T* from = m.row(j) + rows.first;
        for (index_t l = 0; l < n; ++l) column[j][l] = from[l];
      }
      return;
    }
    if (m.stride == 1) return column[0].read(m.data, 1, rows);  // one column, contiguous
    for (index_t j = 0; j < m.cols; ++j) column[j].read(m.data + j, m.stride, rows);
  }

  PYMLP_INLINE void write(const MatrixView<T>& m, const GroupRows& rows,
                          bool in_lanes = false) const {
    if (n > kLanes || in_lanes) {
      for (index_t j = 0; j < m.rows; ++j) {
        T* to = m.row(j) + rows.first;
        for (index_t l = 0; l < n; ++l) to[l] = column[j][l];
      }
      return;
    }
    if (m.stride == 1) return column[0].write(m.data, 1, rows);
    for (index_t j = 0; j < m.cols; ++j) column[j].write(m.data + j, m.stride, rows);
  }
};

// z_j becomes z_j - largest, and 0 for the largest itself, infinite or not.
template <class T, index_t n>
PYMLP_INLINE void subtract_largest(RowGroup<T, n>& z, index_t k) {
  Lanes<T, n> largest;
  for (index_t l = 0; l < n; ++l) largest[l] = -math::Format<T>::infinity;
  for (index_t j = 0; j < k; ++j) {
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) {
      largest[l] = z[j][l] > largest[l] ? z[j][l] : largest[l];
    }
  }
  // By bits: of a choice between 0 and a difference, GCC 12 makes branches.
  for (index_t j = 0; j < k; ++j) {
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) {
      const math::Bits<T> all = -static_cast<math::Bits<T>>(z[j][l] != largest[l]);
      z[j][l] = math::from_bits<T>(math::bits_of(z[j][l] - largest[l]) & all);
    }
  }
}

// e_j = exp(z_j), and their sum.
template <class T, index_t n>
PYMLP_INLINE Lanes<T, n> exp_and_sum(RowGroup<T, n>& e, const RowGroup<T, n>& z, index_t k) {
  Lanes<T, n> sum{};
  for (index_t j = 0; j < k; ++j) {
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) {
      e[j][l] = math::exp(z[j][l]);
      sum[l] += e[j][l];
    }
  }
  return sum;
}

// The sum of one row in the order of a group's.
template <class T>
PYMLP_INLINE T sum_in_order(const T* x, index_t k) {
  T sum = 0;
  for (index_t j = 0; j < k; ++j) sum += x[j];
  return sum;
}

template <class T, index_t n>
PYMLP_INLINE Lanes<T, n> sum_of(const RowGroup<T, n>& x, index_t k) {
  Lanes<T, n> sum{};
  for (index_t j = 0; j < k; ++j) {
    PYMLP_VECTOR_LOOP
    for (index_t l = 0; l < n; ++l) sum[l] += x[j][l];
  }
  return sum;
}

}  // namespace
}  // namespace pymlp

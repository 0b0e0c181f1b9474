// The micro-kernel: an MR x NR tile of a product whose sums stay in registers over one chain of
// fused multiply-adds. Included only by product.cpp.
#pragma once

#include <array>
#include <utility>

#include "kernels/panels.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// MR: the sums, one row of the panel and one element of a fill the registers.
constexpr int kTileRows = kVectorRegisters == 32 ? 12 : 6;
constexpr index_t kAhead = 12;  // prefetch distance in rows of the panel, some 100 nanoseconds

template <class T>
struct TileArguments {
  T* c;
  index_t c_stride;
  Strided<T> a;
  const T* b;
  index_t b_stride;
  index_t k;
  const T* start;       // the row that every row of c starts from; null: 0
  bool adds;            // c += instead of c =
  T* copy;              // for a copying tile: where the rows of b go, side by side
  const T* next_panel;  // of b, which tiles do not read
};

enum class TileKind {
  plain,
  with_ones,  // the last row of a is an implicit row of ones
  copying,    // leaves a copy of what it read of b
};

// The rows of a in one tile. Three share a pointer, so that one register holds the stride for all
// of them.
template <class T, int rows>
class RowPointers {
 public:
  PYMLP_INLINE explicit RowPointers(const Strided<T>& a)
      : distance_(a.row_stride * kBytes), step_(a.column_stride * kBytes) {
    PYMLP_UNROLL
    for (int g = 0; g < kGroups; ++g) {
      pointers_[g] = reinterpret_cast<const char*>(a.data) + 3 * g * distance_;
    }
  }
  PYMLP_INLINE T operator[](int i) const {
    return *reinterpret_cast<const T*>(pointers_[i / 3] + i % 3 * distance_);
  }
  PYMLP_INLINE void prefetch() const {
    __builtin_prefetch(pointers_[0] + kAhead * step_);
    __builtin_prefetch(pointers_[kGroups - 1] + kAhead * step_ + 2 * distance_);
  }
  PYMLP_INLINE void next_column() {
    PYMLP_UNROLL
    for (int g = 0; g < kGroups; ++g) pointers_[g] += step_;
  }

 private:
  static constexpr int kGroups = (rows + 2) / 3;
  static constexpr index_t kBytes = sizeof(T);
  const char* pointers_[kGroups];
  index_t distance_;
  index_t step_;
};

// One tile over one chain.
template <class T, int lanes, int rows, int vectors, TileKind kind>
void tile(const TileArguments<T>& of) {
  Vector<T, lanes> sums[rows][vectors];
  PYMLP_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const Vector<T, lanes> start =
        of.start == nullptr ? Vector<T, lanes>{} : load<T, lanes>(of.start + v * lanes);
    PYMLP_UNROLL
    for (int i = 0; i < rows; ++i) sums[i][v] = start;
  }
  constexpr bool ones = kind == TileKind::with_ones;
  RowPointers<T, (ones && rows > 1 ? rows - 1 : rows)> a(of.a);
  const T* b = of.b;
  const index_t b_stride = of.b_stride;
  [[maybe_unused]] const index_t ahead = kAhead * b_stride;
  [[maybe_unused]] T* copy = of.copy;
  for (index_t p = of.k; p > 0; --p) {
    Vector<T, lanes> row[vectors];
    PYMLP_UNROLL
    for (int v = 0; v < vectors; ++v) {
      row[v] = load<T, lanes>(b + v * lanes);
      if constexpr (kind == TileKind::copying) store<T, lanes>(copy + v * lanes, row[v]);
    }
    PYMLP_UNROLL
    for (int i = 0; i < rows; ++i) {
      PYMLP_UNROLL
      for (int v = 0; v < vectors; ++v) {
        if (ones && i + 1 == rows) {
          sums[i][v] += row[v];
        } else {
          multiply_add<T, lanes>(sums[i][v], a[i], row[v]);
        }
      }
    }
    // A narrow tile loads nearly as often as it multiplies, and reads what wide ones have fetched.
    if constexpr (vectors > 1) {
      __builtin_prefetch(b + ahead);
      __builtin_prefetch(b + ahead + vectors * lanes - 1);
      a.prefetch();
    }
    a.next_column();
    b += b_stride;
    if constexpr (kind == TileKind::copying) copy += vectors * lanes;
  }
  T* c = of.c;
  const index_t c_stride = of.c_stride;
  const bool adds = of.adds;
  PYMLP_UNROLL
  for (int i = 0; i < rows; ++i) {
    PYMLP_UNROLL
    for (int v = 0; v < vectors; ++v) {
      if (adds) sums[i][v] += load<T, lanes>(c + v * lanes);
      store<T, lanes>(c + v * lanes, sums[i][v]);
    }
    c += c_stride;
  }
}

// The tiles of 1, 2, ... MR rows and NR columns.
template <class T, int lanes_, int vectors, int most_rows_>
struct Tiles {
  static constexpr int lanes = lanes_;
  static constexpr index_t width = lanes * vectors;
  static constexpr index_t most_rows = most_rows_;

  template <TileKind kind>
  static void run(index_t rows, const TileArguments<T>& of) {
    return table<kind>[static_cast<std::size_t>(rows - 1)](of);
  }

 private:
  using Tile = void (*)(const TileArguments<T>&);
  template <TileKind kind, std::size_t... above>
  static constexpr std::array<Tile, most_rows> make(std::index_sequence<above...>) {
    return {tile<T, lanes, static_cast<int>(above) + 1, vectors, kind>...};
  }
  template <TileKind kind>
  static constexpr std::array<Tile, most_rows> table =
      make<kind>(std::make_index_sequence<most_rows>());
};

// n >= 1 numbers, in vectors of as many lanes or of half, a quarter, ... of them; the last overlaps
// the one before.
template <int lanes, class T>
PYMLP_INLINE void copy_row(T* to, const T* from, index_t n) {
  if constexpr (lanes == 1) {
    *to = *from;
  } else {
    if (n < lanes) return copy_row<lanes / 2>(to, from, n);
    for (index_t j = 0; j < n - lanes; j += lanes) {
      store<T, lanes>(to + j, load<T, lanes>(from + j));
    }
    store<T, lanes>(to + n - lanes, load<T, lanes>(from + n - lanes));
  }
}

// Where the stride of c has no padding for whole vectors, a tile is computed in scratch.
template <class Family, TileKind kind, class T>
void tile_aside(index_t rows, index_t cols, TileArguments<T>& of) {
  constexpr int lanes = Family::lanes;
  alignas(kVectorBytes) T aside[Family::most_rows * Family::width];
  T* const c = std::exchange(of.c, aside);
  const index_t c_stride = std::exchange(of.c_stride, Family::width);
  for (index_t i = 0; of.adds && i < rows; ++i) {
    copy_row<lanes>(aside + i * Family::width, c + i * c_stride, cols);
  }
  Family::template run<kind>(rows, of);
  for (index_t i = 0; i < rows; ++i) {
    copy_row<lanes>(c + i * c_stride, aside + i * Family::width, cols);
  }
  of.c = c;
  of.c_stride = c_stride;
}

template <class Family, TileKind kind, class T>
void rows_of_tile(index_t rows, bool fits, index_t cols, TileArguments<T>& of) {
  fits ? Family::template run<kind>(rows, of) : tile_aside<Family, kind>(rows, cols, of);
}

}  // namespace
}  // namespace pymlp

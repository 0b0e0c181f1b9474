// Products by tiles that stay in registers. Every element is made of chains of fused multiply-adds
// whose links product.hpp fixes, so neither the shape of a tile nor the ISA changes its bits.
//
// Nothing need be packed but the transposed weights: a panel of 2 vectors' width is read from the
// second level of the cache faster than a tile of 12 rows uses it up.
#include "kernels/panels.hpp"

#include <array>
#include <utility>

#include "kernels/table.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// The sums, a row of the panel and one element of the other operand fill the registers.
constexpr int kTileRows = kVectorRegisters == 32 ? 12 : 6;
// With few rows it takes more columns to keep the multipliers busy.
constexpr int kFewRows = kVectorRegisters == 32 ? 3 : 1;
constexpr int kFewRowsVectors = 8;
constexpr index_t kAhead = 12;  // rows of the panel, some 100 nanoseconds

template <class T>
struct TileArguments {
  T* c;
  index_t c_stride;
  Strided<T> a;
  const T* b;
  index_t b_stride;
  index_t k;
  const T* start;  // the row that every row of c starts from; null: 0
  bool adds;       // to what stands in c
};

// The rows of a tile's other operand. Three share a pointer, so that one register holds the
// distance for all of them.
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

// With `ones` the last row of the other operand lies nowhere and is 1.
template <class T, int lanes, int rows, int vectors, bool ones>
void tile(const TileArguments<T>& of) {
  Vector<T, lanes> sums[rows][vectors];
  PYMLP_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const Vector<T, lanes> start =
        of.start == nullptr ? Vector<T, lanes>{} : load<T, lanes>(of.start + v * lanes);
    PYMLP_UNROLL
    for (int i = 0; i < rows; ++i) sums[i][v] = start;
  }
  RowPointers<T, (ones && rows > 1 ? rows - 1 : rows)> a(of.a);
  const T* b = of.b;
  const index_t b_stride = of.b_stride;
  const index_t ahead = kAhead * b_stride;
  for (index_t p = of.k; p > 0; --p) {
    Vector<T, lanes> row[vectors];
    PYMLP_UNROLL
    for (int v = 0; v < vectors; ++v) row[v] = load<T, lanes>(b + v * lanes);
    PYMLP_UNROLL
    for (int i = 0; i < rows; ++i) {
      const T ai = ones && i + 1 == rows ? T(1) : a[i];
      PYMLP_UNROLL
      for (int v = 0; v < vectors; ++v) multiply_add<T, lanes>(sums[i][v], ai, row[v]);
    }
    __builtin_prefetch(b + ahead);
    __builtin_prefetch(b + ahead + vectors * lanes - 1);
    a.prefetch();
    a.next_column();
    b += b_stride;
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

// Tiles of 1, 2, ... rows.
template <class T, int lanes_, int vectors, int most_rows_>
struct Tiles {
  static constexpr int lanes = lanes_;
  static constexpr index_t width = lanes * vectors;
  static constexpr index_t most_rows = most_rows_;

  template <bool ones>
  static void run(index_t rows, const TileArguments<T>& of) {
    return table<ones>[static_cast<std::size_t>(rows - 1)](of);
  }

 private:
  using Tile = void (*)(const TileArguments<T>&);
  template <bool ones, std::size_t... above>
  static constexpr std::array<Tile, most_rows> make(std::index_sequence<above...>) {
    return {tile<T, lanes, static_cast<int>(above) + 1, vectors, ones>...};
  }
  template <bool ones>
  static constexpr std::array<Tile, most_rows> table =
      make<ones>(std::make_index_sequence<most_rows>());
};

// Where the rows of c leave no room for whole vectors, a tile is computed aside.
template <class Family, bool ones, class T>
void tile_aside(index_t rows, index_t cols, TileArguments<T> of) {
  alignas(kVectorBytes) T aside[Family::most_rows * Family::width];
  T* const c = std::exchange(of.c, aside);
  const index_t c_stride = std::exchange(of.c_stride, Family::width);
  for (index_t i = 0; of.adds && i < rows; ++i) {
    for (index_t j = 0; j < cols; ++j) aside[i * Family::width + j] = c[i * c_stride + j];
  }
  Family::template run<ones>(rows, of);
  for (index_t i = 0; i < rows; ++i) {
    for (index_t j = 0; j < cols; ++j) c[i * c_stride + j] = aside[i * Family::width + j];
  }
}

template <class Family, bool ones, class T>
void rows_of_tile(index_t rows, bool fits, index_t cols, const TileArguments<T>& of) {
  fits ? Family::template run<ones>(rows, of) : tile_aside<Family, ones>(rows, cols, of);
}

// One chain of every element in the columns of a panel, or of what is left of it. Rows are cut into
// tiles of nearly equal height, so that none is left with few.
template <class Family, bool ones, class T>
void chains(MatrixView<T> c, index_t first, TileArguments<T> of) {
  const index_t count = (c.rows + Family::most_rows - 1) / Family::most_rows;
  const index_t left = c.cols - first;
  const bool fits = left >= Family::width || c.stride >= first + Family::width;
  for (index_t t = 0; t < count; ++t) {
    const index_t rows = c.rows * (t + 1) / count - c.rows * t / count;
    if (ones && t + 1 == count) {
      rows_of_tile<Family, true>(rows, fits, left, of);
    } else {
      rows_of_tile<Family, false>(rows, fits, left, of);
    }
    of.c += rows * of.c_stride;
    of.a.data += rows * of.a.row_stride;
  }
}

template <class Family, bool ones, class T>
index_t columns(MatrixView<T> c, index_t first, TileArguments<T> of) {
  index_t left = of.k;
  do {
    of.k = left < kChain ? left : kChain;
    chains<Family, ones>(c, first, of);
    of.a.data += of.k * of.a.column_stride;
    of.b += of.k * of.b_stride;
    of.start = nullptr;
    of.adds = true;
    left -= of.k;
  } while (left > 0);
  return Family::width;
}

// Wide tiles of few rows; returns the columns that are done.
template <class T, int vectors>
index_t few_rows(MatrixView<T> c, index_t first, const TileArguments<T>& of) {
  using Family = Tiles<T, kWidth<T>, vectors, kFewRows>;
  if (c.cols - first >= Family::width) return columns<Family, false>(c, first, of);
  if constexpr (vectors > 2) return few_rows<T, vectors / 2>(c, first, of);
  return 0;
}

// One panel, in vectors no wider than its columns need.
template <bool ones, class T>
index_t panel(MatrixView<T> c, index_t first, const TileArguments<T>& of) {
  constexpr int w = kWidth<T>;
  constexpr int half = w / 2;
  constexpr int quarter = w > 2 ? w / 4 : 1;
  const index_t left = c.cols - first;
  if (left > w + half && first % kPanelWidth<T> == 0) {
    return columns<Tiles<T, w, kPanelVectors, kTileRows>, ones>(c, first, of);
  }
  if (left > half) return columns<Tiles<T, w, 1, kTileRows>, ones>(c, first, of);
  if (left > quarter) return columns<Tiles<T, half, 1, kTileRows>, ones>(c, first, of);
  return columns<Tiles<T, quarter, 1, kTileRows>, ones>(c, first, of);
}

template <bool ones, class T>
void run(MatrixView<T> c, Strided<T> a, index_t k, Panels<T> b, const T* start, bool accumulate) {
  const bool few = !ones && c.rows <= kFewRows && b.panel_stride == kPanelWidth<T>;
  for (index_t j = 0; j < c.cols;) {
    const index_t number = j / kPanelWidth<T>;
    const T* first = b.data + number * b.panel_stride + j - number * kPanelWidth<T>;
    const T* row = start == nullptr ? nullptr : start + j;
    const TileArguments<T> of{c.data + j, c.stride, a, first, b.row_stride, k, row, accumulate};
    const index_t done = few ? few_rows<T, kFewRowsVectors>(c, j, of) : 0;
    j += done > 0 ? done : panel<ones>(c, j, of);
  }
}

template <class T>
void multiply(MatrixView<T> c, Strided<T> a, index_t k, Panels<T> b, const T* start,
              bool accumulate) {
  run<false>(c, a, k, b, start, accumulate);
}

template <class T>
void multiply_with_ones(MatrixView<T> c, Strided<T> a, index_t k, Panels<T> b, bool accumulate) {
  run<true>(c, a, k, b, static_cast<const T*>(nullptr), accumulate);
}

}  // namespace

template <Isa isa, class T>
void add_products(Kernels<T>& table) {
  table.panel_width = kPanelWidth<T>;
  table.multiply = multiply<T>;
  table.multiply_with_ones = multiply_with_ones<T>;
}

template void add_products<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_products<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

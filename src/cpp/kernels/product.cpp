// Products by tiles that stay in registers. Every element is one chain of fused multiply-adds in
// ascending order of the summed index, so neither the shape of a tile nor the ISA changes its bits.
//
// Nothing is packed but the transposed weights: a panel of 2 vectors' width is read from the second
// level of the cache faster than a tile of 12 rows uses it up.
#include "kernels/product.hpp"

#include <array>
#include <utility>

#include "kernels/table.hpp"
#include "kernels/vectors.hpp"

namespace pymlp {
namespace {

constexpr int kPanelVectors = 2;
// The sums, a row of the panel and one element of the other operand fill the registers.
constexpr int kTileRows = kVectorRegisters == 32 ? 12 : 6;
// With few rows it takes more columns to keep the multipliers busy.
constexpr int kFewRows = kVectorRegisters == 32 ? 3 : 1;
constexpr int kFewRowsVectors = 8;

template <class T>
constexpr index_t kPanelWidth = kPanelVectors * kWidth<T>;

template <class T>
struct TileArguments {
  T* c;
  index_t c_stride;
  Strided<T> a;
  const T* b;
  index_t b_stride;
  index_t k;
  const T* start;  // the row that every row of c starts from; null: 0
};

// The rows of a tile's other operand. Three share a pointer, so that one register holds the distance
// for all of them.
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

template <class T, int lanes, int rows, int vectors>
void tile(const TileArguments<T>& of) {
  Vector<T, lanes> sums[rows][vectors];
  PYMLP_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const Vector<T, lanes> start =
        of.start == nullptr ? Vector<T, lanes>{} : load<T, lanes>(of.start + v * lanes);
    PYMLP_UNROLL
    for (int i = 0; i < rows; ++i) sums[i][v] = start;
  }
  RowPointers<T, rows> a(of.a);
  const T* b = of.b;
  const index_t b_stride = of.b_stride;
  for (index_t p = of.k; p > 0; --p) {
    Vector<T, lanes> row[vectors];
    PYMLP_UNROLL
    for (int v = 0; v < vectors; ++v) row[v] = load<T, lanes>(b + v * lanes);
    PYMLP_UNROLL
    for (int i = 0; i < rows; ++i) {
      const T ai = a[i];
      PYMLP_UNROLL
      for (int v = 0; v < vectors; ++v) multiply_add<T, lanes>(sums[i][v], ai, row[v]);
    }
    a.next_column();
    b += b_stride;
  }
  T* c = of.c;
  const index_t c_stride = of.c_stride;
  PYMLP_UNROLL
  for (int i = 0; i < rows; ++i) {
    PYMLP_UNROLL
    for (int v = 0; v < vectors; ++v) store<T, lanes>(c + v * lanes, sums[i][v]);
    c += c_stride;
  }
}

// Tiles of 1, 2, ... rows.
template <class T, int lanes_, int vectors, int most_rows_>
struct Tiles {
  static constexpr int lanes = lanes_;
  static constexpr index_t width = lanes * vectors;
  static constexpr index_t most_rows = most_rows_;

  static void run(index_t rows, const TileArguments<T>& of) {
    return table[static_cast<std::size_t>(rows - 1)](of);
  }

 private:
  using Tile = void (*)(const TileArguments<T>&);
  template <std::size_t... above>
  static constexpr std::array<Tile, most_rows> make(std::index_sequence<above...>) {
    return {tile<T, lanes, static_cast<int>(above) + 1, vectors>...};
  }
  static constexpr std::array<Tile, most_rows> table = make(std::make_index_sequence<most_rows>());
};

// Where the rows of c leave no room for whole vectors, a tile is computed aside.
template <class Family, class T>
void tile_aside(index_t rows, index_t cols, TileArguments<T> of) {
  alignas(kVectorBytes) T aside[Family::most_rows * Family::width];
  T* const c = std::exchange(of.c, aside);
  const index_t c_stride = std::exchange(of.c_stride, Family::width);
  Family::run(rows, of);
  for (index_t i = 0; i < rows; ++i) {
    for (index_t j = 0; j < cols; ++j) c[i * c_stride + j] = aside[i * Family::width + j];
  }
}

// The columns of one panel, or what is left of it. Rows are cut into tiles of nearly equal height,
// so that none is left with few.
template <class Family, class T>
index_t columns(MatrixView<T> c, index_t first, TileArguments<T> of) {
  const index_t count = (c.rows + Family::most_rows - 1) / Family::most_rows;
  const index_t left = c.cols - first;
  const bool fits = left >= Family::width || c.stride >= first + Family::width;
  for (index_t t = 0; t < count; ++t) {
    const index_t rows = c.rows * (t + 1) / count - c.rows * t / count;
    fits ? Family::run(rows, of) : tile_aside<Family>(rows, left, of);
    of.c += rows * of.c_stride;
    of.a.data += rows * of.a.row_stride;
  }
  return Family::width;
}

// Wide tiles of few rows; returns the columns that are done.
template <class T, int vectors>
index_t few_rows(MatrixView<T> c, index_t first, const TileArguments<T>& of) {
  using Family = Tiles<T, kWidth<T>, vectors, kFewRows>;
  if (c.cols - first >= Family::width) return columns<Family>(c, first, of);
  if constexpr (vectors > 2) return few_rows<T, vectors / 2>(c, first, of);
  return 0;
}

// One panel, in vectors no wider than its columns need.
template <class T>
index_t panel(MatrixView<T> c, index_t first, const TileArguments<T>& of) {
  constexpr int w = kWidth<T>;
  constexpr int half = w / 2;
  constexpr int quarter = w > 2 ? w / 4 : 1;
  const index_t left = c.cols - first;
  if (left > w + half && first % kPanelWidth<T> == 0) {
    return columns<Tiles<T, w, kPanelVectors, kTileRows>>(c, first, of);
  }
  if (left > half) return columns<Tiles<T, w, 1, kTileRows>>(c, first, of);
  if (left > quarter) return columns<Tiles<T, half, 1, kTileRows>>(c, first, of);
  return columns<Tiles<T, quarter, 1, kTileRows>>(c, first, of);
}

template <class T>
void multiply(MatrixView<T> c, Strided<T> a, index_t k, Panels<T> b, const T* start) {
  const bool few = c.rows <= kFewRows && b.panel_stride == kPanelWidth<T>;
  for (index_t j = 0; j < c.cols;) {
    const index_t number = j / kPanelWidth<T>;
    const T* first = b.data + number * b.panel_stride + j - number * kPanelWidth<T>;
    const TileArguments<T> of{
        c.data + j, c.stride, a, first, b.row_stride, k, start == nullptr ? nullptr : start + j};
    const index_t done = few ? few_rows<T, kFewRowsVectors>(c, j, of) : 0;
    j += done > 0 ? done : panel(c, j, of);
  }
}

// Rows [first, first + count) of w (n, k) become columns of its transpose (k, n) in panels.
template <class T>
void transpose(T* panels, ConstMatrixView<T> w, index_t first, index_t count) {
  constexpr index_t width = kPanelWidth<T>;
  for (index_t i = first; i < first + count; ++i) {
    T* column = panels + i / width * width * w.cols + i % width;
    const T* row = w.row(i);
    for (index_t j = 0; j < w.cols; ++j) column[j * width] = row[j];
  }
}

}  // namespace

template <Isa isa, class T>
void add_products(Kernels<T>& table) {
  table.panel_width = kPanelWidth<T>;
  table.multiply = multiply<T>;
  table.transpose = transpose<T>;
}

template void add_products<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_products<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

// Products: loops over the panels of the second operand, over the chains (KC) of each, over the
// tiles of MR rows. Every element is made of the chains that panels.hpp fixes, so neither the shape
// of a tile nor the ISA changes its bits.
//
// Only the transposed weights are packed: a panel two vectors wide is read from the second level of
// the cache faster than a tile of 12 rows uses it up. Where its rows are far apart, the first tile
// leaves a copy of a chain of them for the others.
#include <utility>

#include "kernels/panels.hpp"
#include "kernels/table.hpp"
#include "kernels/vector/micro_kernel.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// With few rows a tile needs more columns to keep the multipliers busy.
constexpr int kFewRows = kVectorRegisters == 32 ? 3 : 1;
constexpr int kFewRowsVectors = 8;

// Rows of weights so many bytes apart fall into few sets of the cache where that is a power of two,
// and into as many pages as there are rows. A copy pays from so many tiles on.
constexpr index_t kFarApart = 1024;
constexpr index_t kTilesForACopy = 4;

template <class Family, class T>
inline constexpr bool kWholePanels =
    Family::width == kPanelWidth<T> && Family::most_rows == kTileRows;

// Samples, over which the gradient of weights sums, lie in padded rows.
template <class T>
bool worth_a_copy(const TileArguments<T>& of, index_t rows) {
  return of.b_stride * static_cast<index_t>(sizeof(T)) >= kFarApart && of.a.column_stride == 1 &&
         rows > (kTilesForACopy - 1) * kTileRows;
}

// One chain of every element in the columns of a panel, or of what is left of it. Rows are cut into
// tiles of nearly equal height, so that none is left with few.
template <class Family, bool ones, class T>
void chains(MatrixView<T> c, index_t first, TileArguments<T> of) {
  const index_t count = (c.rows + Family::most_rows - 1) / Family::most_rows;
  const index_t left = c.cols - first;
  constexpr bool kCopies = kWholePanels<Family, T> && !ones;
  const bool fits = left >= Family::width || c.stride >= first + Family::width;
  for (index_t t = 0; t < count; ++t) {
    const index_t rows = c.rows * (t + 1) / count - c.rows * t / count;
    if (ones && t + 1 == count) {
      rows_of_tile<Family, TileKind::with_ones>(rows, fits, left, of);
    } else if (kCopies && of.copy != nullptr) {
      rows_of_tile<Family, TileKind::copying>(rows, fits, left, of);
      of.b = std::exchange(of.copy, nullptr);
      of.b_stride = Family::width;
    } else {
      rows_of_tile<Family, TileKind::plain>(rows, fits, left, of);
    }
    of.c += rows * of.c_stride;
    of.a.data += rows * of.a.row_stride;
  }
}

template <class Family, bool ones, class T>
index_t columns(MatrixView<T> c, index_t first, TileArguments<T> of) {
  alignas(kVectorBytes) T copy[kWholePanels<Family, T> ? kChain * Family::width : 1];
  if (kWholePanels<Family, T> && worth_a_copy(of, c.rows)) of.copy = copy;
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

// One panel, in vectors no wider than its columns need; returns the columns that are done.
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
void run(MatrixView<T> c, index_t first_column, Strided<T> a, index_t k, Panels<T> b,
         const T* start, bool accumulate) {
  const bool few = !ones && c.rows <= kFewRows && b.panel_stride == kPanelWidth<T>;
  for (index_t j = first_column; j < c.cols;) {
    const index_t number = j / kPanelWidth<T>;
    const T* first = b.data + number * b.panel_stride + j - number * kPanelWidth<T>;
    const T* row = start == nullptr ? nullptr : start + j;
    const TileArguments<T> of{c.data + j, c.stride, a,          first,  b.row_stride,
                              k,          row,      accumulate, nullptr};
    const index_t done = few ? few_rows<T, kFewRowsVectors>(c, j, of) : 0;
    j += done > 0 ? done : panel<ones>(c, j, of);
  }
}

template <class T>
void multiply(MatrixView<T> c, Strided<T> a, index_t k, Panels<T> b, const T* start,
              bool accumulate) {
  run<false>(c, 0, a, k, b, start, accumulate);
}

template <class T>
void multiply_columns(MatrixView<T> c, index_t first, Strided<T> a, index_t k, Panels<T> b,
                      const T* start) {
  run<false>(c, first, a, k, b, start, false);
}

template <class T>
void multiply_with_ones(MatrixView<T> c, Strided<T> a, index_t k, Panels<T> b, bool accumulate) {
  run<true>(c, 0, a, k, b, static_cast<const T*>(nullptr), accumulate);
}

}  // namespace

template <Isa isa, class T>
void add_products(Kernels<T>& table) {
  table.panel_width = kPanelWidth<T>;
  table.multiply = multiply<T>;
  table.multiply_columns = multiply_columns<T>;
  table.multiply_with_ones = multiply_with_ones<T>;
}

template void add_products<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_products<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

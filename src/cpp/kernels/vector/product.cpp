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

// With fewer tiles there would be too many rows to fetch at a time.
constexpr index_t kTilesToFetchAhead = 8;

template <class Family, class T>
inline constexpr bool kWholePanels =
    Family::width == kPanelWidth<T> && Family::most_rows == kTileRows;

// Samples, over which the gradient of weights sums, lie in padded rows.
template <class T>
bool worth_a_copy(const TileArguments<T>& of, index_t rows) {
  return of.b_stride * static_cast<index_t>(sizeof(T)) >= kFarApart && of.a.column_stride == 1 &&
         rows > (kTilesForACopy - 1) * kTileRows;
}

// The rows of b that are read after a chain.
template <class T>
struct NextChain {
  const T* data;
  index_t row_stride;
  index_t rows;
};

constexpr index_t chain_of(index_t rows) { return rows < kChain ? rows : kChain; }

// After tile t of `count` its share of the next chain is fetched into the second level of the
// cache: the first tile over it would wait for rows from farther away.
template <class T>
void fetch_ahead(const NextChain<T>& next, index_t t, index_t count) {
  constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
  for (index_t p = next.rows * t / count; p < next.rows * (t + 1) / count; ++p) {
    for (index_t j = 0; j < kPanelWidth<T>; j += line) {
      __builtin_prefetch(next.data + p * next.row_stride + j, 0, 2);
    }
  }
}

// One chain of every element in the columns of a panel, or of what is left of it. Rows are cut into
// tiles of nearly equal height, so that none is left with few. Arguments are changed and put back,
// not copied: reading them at once just after they were written one by one would stall.
template <class Family, bool ones, class T>
void chains(MatrixView<T> c, index_t first, TileArguments<T>& of, const NextChain<T>& next) {
  T* const to = of.c;
  const T* const a = of.a.data;
  const T* const b = of.b;
  const index_t b_stride = of.b_stride;
  T* const copy = of.copy;
  const index_t count = (c.rows + Family::most_rows - 1) / Family::most_rows;
  if (count == 0) return;
  const index_t low = c.rows / count, higher = c.rows % count;
  const index_t left = c.cols - first;
  constexpr bool kCopies = kWholePanels<Family, T> && !ones;
  const bool fetches = kWholePanels<Family, T> && count >= kTilesToFetchAhead && next.rows > 0;
  const bool fits = left >= Family::width || c.stride >= first + Family::width;
  for (index_t t = 0; t < count; ++t) {
    const index_t rows = low + (t < higher ? 1 : 0);
    if (ones && t + 1 == count) {
      rows_of_tile<Family, TileKind::with_ones>(rows, fits, left, of);
    } else if (kCopies && of.copy != nullptr) {
      rows_of_tile<Family, TileKind::copying>(rows, fits, left, of);
      of.b = std::exchange(of.copy, nullptr);
      of.b_stride = Family::width;
    } else {
      rows_of_tile<Family, TileKind::plain>(rows, fits, left, of);
    }
    if (fetches) fetch_ahead(next, t, count);
    of.c += rows * of.c_stride;
    of.a.data += rows * of.a.row_stride;
  }
  of.c = to;
  of.a.data = a;
  of.b = b;
  of.b_stride = b_stride;
  of.copy = copy;
}

template <class Family, bool ones, class T>
index_t columns(MatrixView<T> c, index_t first, TileArguments<T>& of) {
  const bool last = c.cols < first + 2 * Family::width;
  const NextChain<T> next_panel{of.next_panel, of.b_stride, last ? 0 : chain_of(of.k)};
  index_t left = of.k;
  do {
    of.k = chain_of(left);
    const NextChain<T> next{of.b + of.k * of.b_stride, of.b_stride, chain_of(left - of.k)};
    chains<Family, ones>(c, first, of, left > kChain ? next : next_panel);
    of.a.data += of.k * of.a.column_stride;
    of.b += of.k * of.b_stride;
    of.start = nullptr;
    of.adds = true;
    left -= of.k;
  } while (left > 0);
  return Family::width;
}

// The same by way of a copy. A function of its own: products of few rows would pay for its frame.
template <class Family, class T>
[[gnu::noinline]] index_t copied_columns(MatrixView<T> c, index_t first, TileArguments<T>& of) {
  alignas(kVectorBytes) T copy[kChain * Family::width];
  of.copy = copy;
  return columns<Family, false>(c, first, of);
}

// Tiles of few rows, as wide as what is left and may be read, at most eight vectors: a tile alone
// waits for each of its sums, however narrow it is. Returns the columns that are done.
template <class T, int vectors = kFewRowsVectors>
index_t few_rows(MatrixView<T> c, index_t first, TileArguments<T>& of) {
  if constexpr (vectors > 1) {
    const bool readable = first + vectors * kWidth<T> <= padded_columns<T>(c.cols);
    const bool needed = c.cols - first > (vectors - 1) * kWidth<T>;
    if (!readable || !needed) return few_rows<T, vectors - 1>(c, first, of);
  }
  return columns<Tiles<T, kWidth<T>, vectors, kFewRows>, false>(c, first, of);
}

// One panel, in vectors no wider than its columns need; returns the columns that are done.
template <bool ones, class T>
index_t panel(MatrixView<T> c, index_t first, TileArguments<T>& of) {
  constexpr int w = kWidth<T>;
  constexpr int half = w / 2;
  constexpr int quarter = w > 2 ? w / 4 : 1;
  const index_t left = c.cols - first;
  if (left > w + half && first % kPanelWidth<T> == 0) {
    using Family = Tiles<T, w, kPanelVectors, kTileRows>;
    if (!ones && worth_a_copy(of, c.rows)) return copied_columns<Family>(c, first, of);
    return columns<Family, ones>(c, first, of);
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
    TileArguments<T> of{c.data + j, c.stride, a,          first,   b.row_stride,
                        k,          row,      accumulate, nullptr, first + b.panel_stride};
    const bool wide = 2 * (c.cols - j) > kWidth<T>;
    j += few && wide ? few_rows(c, j, of) : panel<ones>(c, j, of);
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

// Packing: the transpose of weights, in panels.
#include "kernels/table.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// Blocks of 16 bytes squared are transposed in registers.
template <class T>
inline constexpr int kBlock = 16 / sizeof(T);

template <class T>
using Row = Vector<T, kBlock<T>>;

#if defined(__clang__)
#define PYMLP_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PYMLP_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, decltype(a < b){__VA_ARGS__})
#endif

PYMLP_INLINE void transpose_block(Row<float> (&r)[4]) {
  const Row<float> t0 = PYMLP_SHUFFLE(r[0], r[1], 0, 4, 1, 5);
  const Row<float> t1 = PYMLP_SHUFFLE(r[0], r[1], 2, 6, 3, 7);
  const Row<float> t2 = PYMLP_SHUFFLE(r[2], r[3], 0, 4, 1, 5);
  const Row<float> t3 = PYMLP_SHUFFLE(r[2], r[3], 2, 6, 3, 7);
  r[0] = PYMLP_SHUFFLE(t0, t2, 0, 1, 4, 5);
  r[1] = PYMLP_SHUFFLE(t0, t2, 2, 3, 6, 7);
  r[2] = PYMLP_SHUFFLE(t1, t3, 0, 1, 4, 5);
  r[3] = PYMLP_SHUFFLE(t1, t3, 2, 3, 6, 7);
}

PYMLP_INLINE void transpose_block(Row<double> (&r)[2]) {
  const Row<double> t = PYMLP_SHUFFLE(r[0], r[1], 0, 2);
  r[1] = PYMLP_SHUFFLE(r[0], r[1], 1, 3);
  r[0] = t;
}

// Row i of w becomes the column that `to` points to.
template <class T>
PYMLP_INLINE void transpose_row(T* to, const T* row, index_t first, index_t last) {
  for (index_t j = first; j < last; ++j) to[j * kPanelWidth<T>] = row[j];
}

// As many rows as a block is high.
template <class T>
PYMLP_INLINE void transpose_rows(T* to, const T* from, index_t stride, index_t cols) {
  constexpr int size = kBlock<T>;
  const index_t whole = cols / size * size;
  for (index_t j = 0; j < whole; j += size) {
    Row<T> block[size];
    PYMLP_UNROLL
    for (int r = 0; r < size; ++r) block[r] = load<T, size>(from + r * stride + j);
    transpose_block(block);
    PYMLP_UNROLL
    for (int r = 0; r < size; ++r) store<T, size>(to + (j + r) * kPanelWidth<T>, block[r]);
  }
  for (int r = 0; r < size; ++r) transpose_row(to + r, from + r * stride, whole, cols);
}

template <class T>
void transpose(T* panels, ConstMatrixView<T> w, index_t first, index_t count) {
  constexpr index_t width = kPanelWidth<T>;
  constexpr index_t size = kBlock<T>;
  for (index_t i = first; i < first + count;) {
    T* to = panels + i / width * width * w.cols + i % width;
    const bool block = i % size == 0 && i + size <= first + count;
    if (block) {
      transpose_rows(to, w.row(i), w.stride, w.cols);
    } else {
      transpose_row(to, w.row(i), 0, w.cols);
    }
    i += block ? size : 1;
  }
}

}  // namespace

template <Isa isa, class T>
void add_packing(Kernels<T>& table) {
  table.transpose = transpose<T>;
}

template void add_packing<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_packing<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

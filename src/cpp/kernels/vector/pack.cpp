// Packing: the transpose of weights, in panels.
#include "kernels/table.hpp"
#include "kernels/vector/transpose_blocks.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// Row i of w becomes the column that `to` points to.
template <class T>
PYMLP_INLINE void transpose_row(T* to, const T* row, index_t cols) {
  for (index_t j = 0; j < cols; ++j) to[j * kPanelWidth<T>] = row[j];
}

template <int size, class T>
PYMLP_INLINE void transpose_rows(T* to, const ConstMatrixView<T>& rows) {
  rows_to_columns<T, kBlock<T>, size>(to, kPanelWidth<T>, rows.cols,
                                      EvenRows<const T, size>(rows.data, rows.stride));
}

// As many rows at a time as fill a vector, or a block, and from there on.
template <class T>
void transpose(T* panels, ConstMatrixView<T> w, index_t first, index_t count) {
  constexpr int vector = kWidth<T>, block = kBlock<T>;
  const index_t end = first + count;
  for (index_t i = first; i < end;) {
    T* to = panels + i / kPanelWidth<T> * kPanelWidth<T> * w.cols + i % kPanelWidth<T>;
    const auto fits = [&](int size) { return w.cols >= block && i % size == 0 && i + size <= end; };
    if (fits(vector)) {
      transpose_rows<vector>(to, w.slice(i, vector));
      i += vector;
    } else if (fits(block)) {
      transpose_rows<block>(to, w.slice(i, block));
      i += block;
    } else {
      transpose_row(to, w.row(i), w.cols);
      i += 1;
    }
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

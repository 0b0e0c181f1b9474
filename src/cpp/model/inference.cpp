#include "model/inference.hpp"

#include <algorithm>
#include <atomic>

#include "base/buffer.hpp"
#include "base/team.hpp"
#include "kernels/activation.hpp"
#include "kernels/panels.hpp"
#include "kernels/product.hpp"
#include "model/propagation.hpp"

namespace pymlp {

namespace {

constexpr index_t kStackBytes = 16 << 10;

// Two matrices take turns as input and output of the hidden layers.
template <class T>
struct Tile {
  T* memory;
  index_t half;

  static index_t half_size(const Layout& layout, index_t rows) {
    index_t widest = 0;
    for (index_t l = 0; l + 1 < layout.n_layers(); ++l) {
      widest = std::max(widest, layout.layer(l).n_out);
    }
    return rows * padded_stride<T>(widest);
  }
  MatrixView<T> output_of(index_t layer, index_t rows, index_t cols) const {
    return {memory + layer % 2 * half, rows, cols, padded_stride<T>(cols)};
  }
};

template <class T>
void predict_rows(const Layout& layout, const T* parameters, ConstMatrixView<T> x, MatrixView<T> y,
                  const Tile<T>& tile) {
  ConstMatrixView<T> input = x;
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    const Layer& layer = layout.layer(l);
    const bool last = l + 1 == layout.n_layers();
    const MatrixView<T> z = last ? y : tile.output_of(l, x.rows, layer.n_out);
    product::forward<T>(z, input, {layout.weights(parameters, l)}, layout.biases(parameters, l));
    activate<T>(z, z, layer.activation);
    input = z;
  }
}

// A few rows, in memory that costs nothing to have.
template <class T>
void predict_on_stack(const Layout& layout, const T* parameters, ConstMatrixView<T> x,
                      MatrixView<T> y, index_t half) {
  alignas(kAlignment) T memory[kStackBytes / sizeof(T)];
  predict_rows(layout, parameters, x, y, Tile<T>{memory, half});
}

template <class T>
void predict_blocks(const Layout& layout, const T* parameters, ConstMatrixView<T> x,
                    MatrixView<T> y, const RowBlocks& blocks, int threads) {
  const auto workers = std::min<index_t>(blocks.count(), threads);
  // All memory is taken here, before the work is shared out: a task must not throw.
  const index_t half = Tile<T>::half_size(layout, blocks.largest());
  Buffer<T> memory(2 * half * workers);
  std::atomic<index_t> next{0};
  parallel_for(workers, static_cast<int>(workers), [&](index_t w) {
    const Tile<T> tile{memory.data() + 2 * half * w, half};
    for (index_t b = next++; b < blocks.count(); b = next++) {
      const Range rows = blocks[b];
      predict_rows(layout, parameters, x.slice(rows.first, rows.count),
                   y.slice(rows.first, rows.count), tile);
    }
  });
}

}  // namespace

template <class T>
void predict(const Layout& layout, const T* parameters, ConstMatrixView<T> x, MatrixView<T> y,
             int threads) {
  const double operations = static_cast<double>(x.rows) * layout.forward_operations();
  const int workers = layout.has_custom() ? 1 : threads_for(operations, threads);
  const index_t half = Tile<T>::half_size(layout, x.rows);
  const bool small = 2 * half * static_cast<index_t>(sizeof(T)) <= kStackBytes;
  if (small && workers == 1) return predict_on_stack(layout, parameters, x, y, half);
  predict_blocks(layout, parameters, x, y, RowBlocks(x.rows, layout.forward_operations()), workers);
}

template void predict(const Layout&, const float*, ConstMatrixView<float>, MatrixView<float>, int);
template void predict(const Layout&, const double*, ConstMatrixView<double>, MatrixView<double>,
                      int);

}  // namespace pymlp

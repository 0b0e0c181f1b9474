#include "model/inference.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/buffer.hpp"
#include "base/parallel.hpp"
#include "kernels/apply.hpp"
#include "kernels/gemm.hpp"
#include "model/propagation.hpp"

namespace pymlp {

namespace {

// Two matrices take turns as input and output of the hidden layers.
template <class T>
class Tile {
 public:
  Tile(const Layout& layout, index_t rows)
      : half_(rows * widest_hidden(layout)), memory_(2 * half_) {}

  MatrixView<T> output_of(index_t layer, index_t rows, index_t cols) {
    return {memory_.data() + layer % 2 * half_, rows, cols, cols};
  }

 private:
  static index_t widest_hidden(const Layout& layout) {
    index_t widest = 0;
    for (index_t l = 0; l + 1 < layout.n_layers(); ++l) {
      widest = std::max(widest, layout.layer(l).n_out);
    }
    return widest;
  }

  index_t half_;
  Buffer<T> memory_;
};

template <class T>
void predict_rows(const Layout& layout, const T* parameters, ConstMatrixView<T> x, MatrixView<T> y,
                  Tile<T>& tile) {
  ConstMatrixView<T> input = x;
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    const Layer& layer = layout.layer(l);
    const bool last = l + 1 == layout.n_layers();
    const MatrixView<T> z = last ? y : tile.output_of(l, x.rows, layer.n_out);
    gemm::forward<T>(z, input, {layout.weights(parameters, l)}, layout.biases(parameters, l));
    activate<T>(z, z, layer.activation);
    input = z;
  }
}

}  // namespace

template <class T>
void predict(const Layout& layout, const T* parameters, ConstMatrixView<T> x, MatrixView<T> y,
             int threads) {
  const RowBlocks blocks(x.rows, layout.forward_operations());
  threads = layout.has_custom() ? 1 : threads;
  const double operations = static_cast<double>(x.rows) * layout.forward_operations();
  const index_t workers = std::min<index_t>(blocks.count(), threads_for(operations, threads));
  // All memory is taken here, before the work is shared out: a task must not throw.
  std::vector<Tile<T>> tiles;
  tiles.reserve(static_cast<std::size_t>(workers));
  for (index_t w = 0; w < workers; ++w) tiles.emplace_back(layout, blocks.largest());
  std::atomic<index_t> next{0};
  parallel_for(workers, static_cast<int>(workers), [&](index_t w) {
    for (index_t b = next++; b < blocks.count(); b = next++) {
      const Range rows = blocks[b];
      predict_rows(layout, parameters, x.slice(rows.first, rows.count),
                   y.slice(rows.first, rows.count), tiles[static_cast<std::size_t>(w)]);
    }
  });
}

template void predict(const Layout&, const float*, ConstMatrixView<float>, MatrixView<float>, int);
template void predict(const Layout&, const double*, ConstMatrixView<double>, MatrixView<double>,
                      int);

}  // namespace pymlp

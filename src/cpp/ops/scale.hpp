// Scale: xs = x * s, a learnable factor for each of the network's inputs. Shapes: x, xs (m, n),
// s (n,).
//
// The factors lie before the weights of the first product, xs W, and share their stretches: with
// dW' = x^T dz, which the product computes from x itself, dW = diag(s) dW' and ds_i = sum_j W_ij
// dW'_ij. So there is no pass over rows for ds, and no gradient of xs to compute; only a residual
// that adds xs has a part of its own.
#pragma once

#include <algorithm>
#include <string_view>

#include "kernels/table.hpp"
#include "ops/defaults.hpp"
#include "ops/packed_weights.hpp"

namespace pymlp {

struct Scale : OperationDefaults {
  static constexpr std::string_view name = "scale";

  // The network's inputs are not written to.
  static bool overwrites(const Operation&, Keep, bool) { return false; }
  static bool gradient_in_place(const Operation& op) { return !op.feeds_residual; }

  template <class T>
  static void forward(const Operation& op, const Block<T>& block) {
    kernels<T>().scale_columns(block.output(op), block.input(op),
                               block.parameters + op.first_parameter);
  }

  template <class T>
  static void backward(const Operation& op, const Block<T>& block) {
    kernels<T>().scale_columns(block.input_gradient(op), block.output_gradient(op),
                               block.parameters + op.first_parameter);
  }

  // Of the product behind it: what does not go through the product.
  template <class T>
  static void product_gradient(const Operation& dense, const Block<T>& block, Range rows, T* arena,
                               bool accumulate) {
    T* ds = arena + dense.first_parameter + rows.first;
    if (!dense.feeds_residual) {
      if (!accumulate) std::fill_n(ds, rows.count, T(0));
      return;
    }
    kernels<T>().column_dots(ds, columns<T>(block.values_of(dense.unscaled), rows),
                             columns<T>(block.input_gradient(dense), rows), accumulate);
  }

  // Where the gradient of xs went on, to the inputs or to an embedding of them, it was whole.
  template <class T>
  static void finish_product(const Operation& dense, const Block<T>& block, Range rows, T* arena) {
    const MatrixView<T> dw = weights_of(dense, arena).slice(rows.first, rows.count);
    const ConstMatrixView<T> w = weights_of(dense, block.parameters).slice(rows.first, rows.count);
    const bool goes_on = dense.behind_embedding || block.dx.data != nullptr;
    const bool whole = dense.feeds_residual && goes_on;
    kernels<T>().finish_scaled(whole ? nullptr : arena + dense.first_parameter + rows.first, dw, w,
                               block.parameters + dense.first_parameter + rows.first);
  }

 private:
  template <class T>
  static ConstMatrixView<T> columns(ConstMatrixView<T> m, Range range) {
    return {m.data + range.first, m.rows, range.count, m.stride};
  }
};

}  // namespace pymlp

// Dropout: units left out in training, the others scaled up. Shapes: both sides (m, n).
#pragma once

#include <algorithm>
#include <string_view>

#include "kernels/table.hpp"
#include "ops/defaults.hpp"

namespace pymlp {

struct DropoutOperation : OperationDefaults {
  static constexpr std::string_view name = "dropout";

  // Outside training there is none.
  static bool overwrites(const Operation&, Keep keep, bool) { return keep != Keep::for_training; }

  template <class T>
  static void forward(const Operation& op, const Block<T>& block) {
    if (block.is_inputs(op.output)) return;
    const MatrixView<T> to = block.output(op);
    const ConstMatrixView<T> from = block.input(op);
    if (drops(op, block)) return drop<T>(op, block, to, from);
    if (to.data == from.data) return;
    for (index_t i = 0; i < to.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(i));
  }

  // The same units as in the forward pass, because the draws are the same; in place.
  template <class T>
  static void backward(const Operation& op, const Block<T>& block) {
    const MatrixView<T> gradient = block.input_gradient(op);
    if (drops(op, block)) drop<T>(op, block, gradient, gradient);
  }

 private:
  static constexpr std::uint32_t kInputs = 0xfffffffe;  // in the place of a layer's number

  template <class T>
  static bool drops(const Operation& op, const Block<T>& block) {
    return block.draws != nullptr && block.draws->rate_of(op) > 0.0;
  }

  template <class T>
  static void drop(const Operation& op, const Block<T>& block, MatrixView<T> to,
                   ConstMatrixView<T> from) {
    kernels<T>().dropout(to, from, block.draws->rate_of(op), block.draws->seed, block.draws->step,
                         op.of_inputs ? kInputs : static_cast<std::uint32_t>(op.layer),
                         block.first_of_batch);
  }
};

}  // namespace pymlp

// Dense: z = x W + b. Shapes: x (m, n_in), z and dz (m, n_out), W (n_in, n_out), b (n_out,).
#pragma once

#include <string_view>

#include "kernels/product.hpp"
#include "ops/defaults.hpp"
#include "ops/packed_weights.hpp"
#include "ops/scale.hpp"

namespace pymlp {

struct Dense : OperationDefaults {
  static constexpr std::string_view name = "dense";

  static bool overwrites(const Operation&, Keep, bool) { return false; }
  static bool gradient_in_place(const Operation&) { return false; }
  static Tensors parameters(const Operation& op) {
    Tensors tensors;
    if (op.has_scale) tensors.push_back({"input_scale", TensorKind::scale, 0, op.n_in, 1.0});
    tensors.push_back({"weights", TensorKind::weights, op.n_in, op.n_out});
    if (op.has_biases) tensors.push_back({"biases", TensorKind::biases, 0, op.n_out});
    return tensors;
  }
  static index_t parameter_rows(const Operation& op) { return op.n_in; }
  // Biases go with the last weights.
  static ArenaRanges ranges(const Operation& op, Range rows) {
    ArenaRanges result;
    if (op.has_scale) result.add({op.first_parameter + rows.first, rows.count});
    Range weights = weight_range(op, rows);
    if (rows.end() == op.n_in && op.has_biases) weights.count += op.n_out;
    result.add(weights);
    return result;
  }
  static bool finishes(const Operation& op) { return op.has_scale; }
  static bool by_columns(const Operation&) { return true; }
  static double multiply_adds(const Operation& op) {
    return static_cast<double>(op.n_in) * static_cast<double>(op.n_out);
  }
  static double operations(const Operation& op) { return 2.0 * multiply_adds(op); }

  template <class T>
  static void forward(const Operation& op, const Block<T>& block) {
    product::forward<T>(block.arithmetic, block.output(op), block.input(op),
                        weights_of(op, block.parameters), biases_of(op, block.parameters));
  }

  template <class T>
  static void forward_columns(const Operation& op, const Block<T>& block, Range columns) {
    product::forward_columns<T>(block.output(op), block.input(op), weights_of(op, block.parameters),
                                biases_of(op, block.parameters), columns);
  }

  // dx = dz W^T, or dx += dz W^T; that of the network's inputs only where it is wanted.
  template <class T>
  static void backward(const Operation& op, const Block<T>& block) {
    const MatrixView<T> dx = block.input_gradient(op);
    if (dx.data == nullptr) return;
    product::input_gradient<T>(block.arithmetic, dx, block.output_gradient(op),
                               block.packed->of(op, block.parameters), op.gradient_begun);
  }

  // dW = x^T dz, some of its rows; db = column sums of dz goes with the last of them.
  template <class T>
  static void gradient(const Operation& op, const Block<T>& block, Range rows, T* arena,
                       bool accumulate) {
    const MatrixView<T> dw = weights_of(op, arena).slice(rows.first, rows.count);
    T* db = rows.end() == op.n_in ? biases_of(op, arena) : nullptr;
    const ConstMatrixView<T> x = block.values_of(op.has_scale ? op.unscaled : op.input);
    product::weights_gradient<T>(block.arithmetic, dw, db, x, block.output_gradient(op), rows.first,
                                 accumulate);
    if (op.has_scale) Scale::product_gradient(op, block, rows, arena, accumulate);
  }

  template <class T>
  static void finish(const Operation& op, const Block<T>& block, Range rows, T* arena) {
    Scale::finish_product(op, block, rows, arena);
  }
};

}  // namespace pymlp

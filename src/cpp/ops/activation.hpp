// Activation: a = g(z). Shapes: z, a, dz, da all (m, n).
#pragma once

#include <string_view>

#include "kernels/activation.hpp"
#include "kernels/table.hpp"
#include "ops/defaults.hpp"

namespace pymlp {

struct ActivationOperation : OperationDefaults {
  static constexpr std::string_view name = "activation";

  // The derivative may be had from a alone. A loss may be computed from the last layer's z.
  static bool overwrites(const Operation& op, Keep keep, bool last) {
    if (keep == Keep::outputs) return true;
    return keep != Keep::everything && !last && !traits_of(op.activation.kind).derivative_needs_z;
  }
  static bool by_columns(const Operation& op) { return is_element_wise(op.activation.kind); }
  // An activation costs about as much as 15 multiply-adds.
  static double operations(const Operation& op) { return 30.0 * static_cast<double>(op.n_out); }

  template <class T>
  static void forward(const Operation& op, const Block<T>& block) {
    forward_columns(op, block, {0, op.n_out});
  }

  // Where g' needs z it is computed with a, as the two share most of their work, and kept in the
  // place of z.
  template <class T>
  static void forward_columns(const Operation& op, const Block<T>& block, Range columns) {
    const auto [first, count] = columns;
    const MatrixView<T> a = block.output(op).columns(first, count);
    const MatrixView<T> z = block.value(op.input).columns(first, count);
    if (keeps_slope(op.activation.kind) && block.goes_back()) {
      return kernels<T>().activation_with_slope(a, z, op.activation);
    }
    activate<T>(a, z, op.activation);
  }

  // dz = da g'(z), in place.
  template <class T>
  static void backward(const Operation& op, const Block<T>& block) {
    const MatrixView<T> dz = block.input_gradient(op);
    if (keeps_slope(op.activation.kind))
      return kernels<T>().multiply_elements(dz, dz, block.input(op));
    activate_backward<T>(dz, dz, block.input(op), block.output(op), op.activation);
  }
};

}  // namespace pymlp

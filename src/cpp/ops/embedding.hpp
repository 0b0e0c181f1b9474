// Embedding: of some of the network's inputs, each becomes several numbers before the first
// product; the others pass as they are. Shapes: x (m, n_in), y and dy (m, n_out).
//
// A category's numbers are a row of its column's table. Columns of numbers:
// ops/number_embedding.hpp.
#pragma once

#include <string_view>

#include "ops/defaults.hpp"
#include "ops/embedded_columns.hpp"

namespace pymlp {

struct Embedding : OperationDefaults {
  static constexpr std::string_view name = "embedding";

  // The network's inputs are not written to.
  static bool overwrites(const Operation&, Keep, bool) { return false; }
  static bool gradient_in_place(const Operation&) { return false; }
  static Tensors parameters(const Operation& op) { return op.embedded->parameters(); }
  static index_t parameter_rows(const Operation& op) { return op.embedded->parameter_rows(); }
  static ArenaRanges ranges(const Operation& op, Range rows) {
    const auto [first, count] = op.embedded->numbers(rows);
    ArenaRanges result;
    result.add({op.first_parameter + first, count});
    return result;
  }
  static double multiply_adds(const Operation& op) { return op.embedded->multiply_adds(); }
  static double operations(const Operation& op) { return op.embedded->operations(); }

  template <class T>
  static void forward(const Operation& op, const Block<T>& block);
  // dx, where it is wanted; a code has none.
  template <class T>
  static void backward(const Operation& op, const Block<T>& block);
  // Of some rows of parameters, each from all rows of the batch in their order.
  template <class T>
  static void gradient(const Operation& op, const Block<T>& block, Range rows, T* arena,
                       bool accumulate);
};

}  // namespace pymlp

// What holds for most kinds of operation: a kind derives from this and says what differs.
#pragma once

#include "ops/block.hpp"
#include "ops/tensor.hpp"

namespace pymlp {

struct OperationDefaults {
  static bool gradient_in_place(const Operation&) { return true; }
  static Tensors parameters(const Operation&) { return {}; }
  // Numbers without gradient, such as running means.
  static Tensors states(const Operation&) { return {}; }
  // A stretch is some of these rows; what goes with it in the arena.
  static index_t parameter_rows(const Operation& op) { return op.n_parameters > 0 ? 1 : 0; }
  static ArenaRanges ranges(const Operation& op, Range) {
    ArenaRanges all;
    all.add({op.first_parameter, op.n_parameters});
    return all;
  }
  // Whether sums over the whole batch are needed, both ways, before it goes on.
  static bool joins(const Operation&) { return false; }
  // Whether there is something left to do once the gradient is summed over all rows.
  static bool finishes(const Operation&) { return false; }
  // Whether some columns of its output may be computed apart, from its whole input.
  static bool by_columns(const Operation&) { return false; }
  // Kept for the way back, of each row beside the outputs; summed over each block of rows.
  static index_t numbers_of_a_row(const Operation&) { return 0; }
  static index_t sums_of_a_block(const Operation&) { return 0; }
  static index_t sums_of_a_batch(const Operation&) { return 0; }

  static double multiply_adds(const Operation&) { return 0.0; }
  // Not counted: cuts are then those of the network without it.
  static double operations(const Operation&) { return 0.0; }
};

}  // namespace pymlp

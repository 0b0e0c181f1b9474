// Operation: one function in a network's program. It reads one buffer and writes another; both hold
// a row for each sample. What kinds there are, and how each computes, stands in ops/table.hpp.
#pragma once

#include <cstdint>

#include "base/range.hpp"
#include "kernels/activation.hpp"

namespace pymlp {

class EmbeddedInputs;

enum class OperationKind : std::uint8_t {
  dense,
  activation,
  dropout,
  residual,
  scale,
  row_norm,
  parametric,
  batch_norm,
  embedding
};

struct Operation {
  OperationKind kind;
  index_t layer;      // of the network, counted from 0
  index_t input = 0;  // buffers; number 0 holds the network's inputs
  index_t output = 0;
  index_t n_in = 0;  // widths of the two
  index_t n_out = 0;
  index_t first_parameter = 0;  // in the arena
  index_t n_parameters = 0;
  index_t first_state = 0;      // in the arena, behind all parameters
  index_t first_sum = 0;        // among the sums of a block
  index_t first_batch_sum = 0;  // among those of a batch
  bool frozen = false;          // parameters and states stand still
  bool has_biases = false;      // dense: behind its weights
  bool gradient_begun = false;  // dense: that by its inputs has a part already
  index_t shortcut = 0;         // residual: the buffer that is added
  bool has_scale = false;       // dense: its inputs are scaled; what they were before
  index_t unscaled = 0;
  bool feeds_residual = false;  // scale, and the product behind it: a residual adds its outputs
  Activation activation{};      // activation: which one
  Activation learnt{};          // parametric: which one
  bool is_centred = false;      // norm: about its mean, with a shift
  double rate = 0.0;            // dropout: the share of units left out
  bool of_inputs = false;       // dropout: before the first product
  const EmbeddedInputs* embedded = nullptr;  // embedding: of which columns, the program's
  bool behind_embedding = false;  // dense: what it reads, or its scale, has a gradient of its own
};

// Parameters are updated, and their gradients summed, by stretches: some rows of one operation's
// matrix of parameters.
struct Stretch {
  index_t operation;
  Range rows;
};
inline Stretch part_of(const Stretch& stretch, index_t i, index_t n) {
  Range rows = part_of(stretch.rows.count, i, n);
  rows.first += stretch.rows.first;
  return {stretch.operation, rows};
}

}  // namespace pymlp

#include "model/blocks.hpp"

#include <algorithm>

namespace pymlp {

namespace {

constexpr index_t kFewRows = 32;         // below this many a product cannot fill its registers
constexpr index_t kManyRows = 256;       // above, a block's matrices leave the second-level cache
constexpr index_t kBlocksOfABatch = 8;   // enough to share among threads
constexpr index_t kFewInputs = 8;        // as kFewRows, for gradients of weights
constexpr index_t kFewestInputs = 24;    // of a block that is cut for the cache's sake
constexpr index_t kInCache = 384 << 10;  // bytes of a block's inputs, half a second-level cache
constexpr double kFewOperations = 4e5;   // of a block of rows; less is not worth a task
constexpr index_t kFewProducts = 50000;  // of a block of weights, likewise

index_t row_block_count(index_t rows, double operations_of_a_row) {
  const double operations = static_cast<double>(rows) * operations_of_a_row;
  index_t count = 1;
  while (2 * count <= kBlocksOfABatch && 2 * count * kFewRows <= rows &&
         2.0 * static_cast<double>(count) * kFewOperations <= operations) {
    count *= 2;
  }
  return std::max(count, (rows + kManyRows - 1) / kManyRows);
}

}  // namespace

RowBlocks::RowBlocks(index_t rows, double operations_of_a_row)
    : rows_(rows), count_(row_block_count(rows, operations_of_a_row)) {}

bool sums_by_row_block(const Layout& layout, index_t rows) {
  constexpr index_t kFewer = 4;
  const index_t largest = RowBlocks(rows, layout.forward_operations()).largest();
  return kFewer * layout.n_parameters() <= largest * layout.numbers_of_a_sample();
}

std::vector<WeightBlock> weight_blocks(const Layout& layout, index_t capacity,
                                       index_t number_size) {
  const index_t most_inputs = std::max(kFewestInputs, kInCache / (capacity * number_size));
  const index_t size =
      std::max(kFewProducts / capacity + 1, layout.n_parameters() / kBlocksOfABatch);
  std::vector<WeightBlock> blocks;
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    const Layer& layer = layout.layer(l);
    const index_t fair = std::clamp((layer.weights_size() + size - 1) / size, index_t{1},
                                    std::max(index_t{1}, layer.n_in / kFewInputs));
    const index_t count = std::max(fair, (layer.n_in + most_inputs - 1) / most_inputs);
    for (index_t b = 0; b < count; ++b) {
      const index_t first = layer.n_in * b / count;
      blocks.push_back({l, {first, layer.n_in * (b + 1) / count - first}});
    }
  }
  return blocks;
}

bool is_last_of_layer(const Layout& layout, const WeightBlock& block) {
  return block.rows.first + block.rows.count == layout.layer(block.layer).n_in;
}

Range weights_of(const Layout& layout, const WeightBlock& block) {
  const Layer& layer = layout.layer(block.layer);
  return {layer.weights_offset + block.rows.first * layer.n_out, block.rows.count * layer.n_out};
}

Range parameters_of(const Layout& layout, const WeightBlock& block) {
  const Layer& layer = layout.layer(block.layer);
  const Range weights = weights_of(layout, block);
  const bool with_biases = layer.has_biases && is_last_of_layer(layout, block);
  return {weights.first, weights.count + (with_biases ? layer.n_out : 0)};
}

}  // namespace pymlp

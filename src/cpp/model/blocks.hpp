// How work is cut: rows of a batch, and stretches of weight rows. The cuts follow from sizes alone,
// never from the number of threads.
#pragma once

#include <vector>

#include "model/layout.hpp"

namespace pymlp {

struct Range {
  index_t first;
  index_t count;
};

class RowBlocks {
 public:
  RowBlocks(index_t rows, double operations_of_a_row);
  index_t count() const { return count_; }
  Range operator[](index_t block) const {
    const index_t first = rows_ * block / count_;
    return {first, rows_ * (block + 1) / count_ - first};
  }
  index_t largest() const { return (rows_ + count_ - 1) / count_; }

 private:
  index_t rows_;
  index_t count_;
};

// Whether a block of rows is better off with gradients of its own, to be added up in the order of
// the blocks: where the parameters are far fewer than what the block would hand over to other
// threads.
bool sums_by_row_block(const Layout& layout, index_t rows);

// A stretch of one layer's weight rows; the last of a layer brings the biases, which lie behind it.
struct WeightBlock {
  index_t layer;
  Range rows;
};

// For gradients of batches of up to `capacity` samples, numbers of `number_size` bytes.
std::vector<WeightBlock> weight_blocks(const Layout& layout, index_t capacity, index_t number_size);

bool is_last_of_layer(const Layout& layout, const WeightBlock& block);

// The weights of a block, and all parameters that it owns.
Range weights_of(const Layout& layout, const WeightBlock& block);
Range parameters_of(const Layout& layout, const WeightBlock& block);

}  // namespace pymlp

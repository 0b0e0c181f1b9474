// Row cuts: one batch in segments, and these in blocks of rows.
#pragma once

#include <algorithm>

#include "base/range.hpp"

namespace pymlp {

// What blocks follow from.
enum class Blocks {
  of_sizes,    // something is summed over each
  of_threads,  // as many for each
  of_columns,  // one: threads share the columns of operations instead
};

// How one batch is cut.
struct RowCuts {
  index_t rows;
  index_t blocks;               // of all rows
  index_t rows_of_a_segment;    // 0: as many as its blocks have, which are nearly equal parts
  index_t blocks_of_a_segment;  // at most
  bool gradients_by_block;      // every block sums gradients of its own
  bool lanes;                   // samples are lanes
  int threads;                  // for blocks
  int threads_for_stretches;
  Blocks kind = Blocks::of_sizes;

  bool one_segment() const { return blocks == blocks_of_a_segment; }
  index_t segments() const {
    return one_segment() ? 1 : (blocks + blocks_of_a_segment - 1) / blocks_of_a_segment;
  }
  // Whether the gradient of a parameter is one sum over all rows.
  bool sums_at_once() const { return one_segment() && !gradients_by_block; }
  Range block(index_t b) const;
  Range blocks_in(index_t segment) const;
  Range rows_in(index_t segment) const;
  index_t largest_block() const;
  // At least as large as each: nearly equal parts may differ by a row.
  index_t largest_segment() const { return std::min(rows, blocks_of_a_segment * largest_block()); }
  // Gradients of blocks that exist at the same time, but for the one that all are added to.
  index_t gradients_beside() const { return blocks_of_a_segment - (one_segment() ? 1 : 0); }
};

}  // namespace pymlp

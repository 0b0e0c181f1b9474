#include "model/row_cuts.hpp"

namespace pymlp {

Range RowCuts::block(index_t b) const {
  if (blocks == 1) return {0, rows};
  if (rows_of_a_segment == 0) return part_of(rows, b, blocks);
  const index_t segment = b / blocks_of_a_segment;
  const Range inside = blocks_in(segment);
  const index_t before = segment * rows_of_a_segment;
  Range block = part_of(std::min(rows_of_a_segment, rows - before), b - inside.first, inside.count);
  block.first += before;
  return block;
}

Range RowCuts::blocks_in(index_t segment) const {
  const index_t first = segment * blocks_of_a_segment;
  return {first, std::min(blocks_of_a_segment, blocks - first)};
}

Range RowCuts::rows_in(index_t segment) const {
  if (one_segment()) return {0, rows};
  const Range inside = blocks_in(segment);
  const index_t first = block(inside.first).first;
  return {first, block(inside.end() - 1).end() - first};
}

index_t RowCuts::largest_block() const {
  if (rows_of_a_segment == 0) return (rows + blocks - 1) / blocks;
  return (rows_of_a_segment + blocks_of_a_segment - 1) / blocks_of_a_segment;
}

}  // namespace pymlp

// The gradients of the parameters where every block of rows sums its own, in an arena, and these
// are added up in the order of the blocks. The first block of a batch writes to the sum itself.
#pragma once

#include "model/step_memory.hpp"

namespace pymlp {

// Block b's own.
template <class T>
void sum_block(const Program& program, const RowCuts& cuts, index_t segment, index_t b,
               const Block<T>& block, StepMemory<T>& memory, T* sum);

// Adds those of all blocks of a segment, for one stretch of the parameters.
template <class T>
void add_blocks(const Program& program, const RowCuts& cuts, index_t segment,
                const Stretch& stretch, StepMemory<T>& memory, T* sum);

}  // namespace pymlp

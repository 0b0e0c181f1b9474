// The gradients of the parameters where every block of rows sums its own, in an arena, and these
// are added up in the order of the blocks. The first block of a batch writes to the sum itself.
#pragma once

#include "model/step_memory.hpp"

namespace pymlp {

// Where block b's own goes.
template <class T>
T* gradient_of_block(const RowCuts& cuts, index_t segment, index_t b, StepMemory<T>& memory,
                     T* sum);
// The gradient of block b.
template <class T>
void sum_block(const Program& program, const Block<T>& block, T* arena);

// Adds those of all blocks of a segment, for one stretch of the parameters.
template <class T>
void add_blocks(const Program& program, const RowCuts& cuts, index_t segment,
                const Stretch& stretch, StepMemory<T>& memory, T* sum);

}  // namespace pymlp

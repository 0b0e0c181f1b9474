#include "model/gradient_sum.hpp"

#include "kernels/table.hpp"
#include "ops/table.hpp"

namespace pymlp {

template <class T>
T* gradient_of_block(const RowCuts& cuts, index_t segment, index_t b, StepMemory<T>& memory,
                     T* sum) {
  const index_t beside = b - cuts.blocks_in(segment).first - (segment == 0 ? 1 : 0);
  return b == 0 ? sum : memory.gradient_beside(beside);
}

template <class T>
void sum_block(const Program& program, const Block<T>& block, T* arena) {
  for (const Operation& op : program.operations()) {
    const auto gradient = functions_of<T>(op).gradient;
    if (gradient != nullptr && !op.frozen) {
      gradient(op, block, {0, traits_of(op).parameter_rows(op)}, arena, false);
    }
  }
}

template <class T>
void add_blocks(const Program& program, const RowCuts& cuts, index_t segment,
                const Stretch& stretch, StepMemory<T>& memory, T* sum) {
  const index_t addends = cuts.blocks_in(segment).count - (segment == 0 ? 1 : 0);
  if (addends == 0) return;
  for (const Range& range : parameters_of(program, stretch)) {
    kernels<T>().add_arenas(sum + range.first, memory.gradient_beside(0) + range.first, addends,
                            program.n_parameters(), range.count);
  }
}

template float* gradient_of_block(const RowCuts&, index_t, index_t, StepMemory<float>&, float*);
template double* gradient_of_block(const RowCuts&, index_t, index_t, StepMemory<double>&, double*);
template void sum_block(const Program&, const Block<float>&, float*);
template void sum_block(const Program&, const Block<double>&, double*);
template void add_blocks(const Program&, const RowCuts&, index_t, const Stretch&,
                         StepMemory<float>&, float*);
template void add_blocks(const Program&, const RowCuts&, index_t, const Stretch&,
                         StepMemory<double>&, double*);

}  // namespace pymlp

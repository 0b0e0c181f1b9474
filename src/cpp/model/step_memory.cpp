#include "model/step_memory.hpp"

#include <algorithm>

namespace pymlp {

template <class T>
StepMemory<T>::StepMemory(const Program& program, Keep keep, index_t numbers_of_lanes)
    : n_parameters(program.n_parameters()),
      sums_of_a_block(program.sums_of_a_block()),
      sums_of_a_batch(program.sums_of_a_batch()),
      places(place<T>(program, keep)),
      numbers_of_lanes(numbers_of_lanes),
      norms(program.widest()) {}

template <class T>
void StepMemory<T>::reserve(const RowCuts& cuts, const Batch<T>& batch, index_t largest_update) {
  const bool by_block = cuts.gradients_by_block;
  if (cuts.lanes) grow(lanes_of_workers, cuts.threads * numbers_of_lanes);
  const index_t rows = by_block ? cuts.largest_block() : cuts.largest_segment();
  const auto workers = static_cast<std::size_t>(cuts.lanes ? 0 : by_block ? cuts.threads : 1);
  if (workspaces.size() < workers) workspaces.resize(workers);
  for (std::size_t w = 0; w < workers; ++w) {
    workspaces[w].reserve(places, rows);
    if (batch.order != nullptr) workspaces[w].room().reserve(batch.source, rows);
  }
  grow(sums, cuts.blocks_of_a_segment * sums_of_a_block);
  grow(batch_sums, sums_of_a_batch);
  grow(losses, cuts.largest_segment());
  grow(scales, cuts.largest_segment());
  if (by_block) grow(block_gradients, cuts.gradients_beside() * n_parameters);
  if (largest_update > 0) reserve_updates(cuts.threads_for_stretches, largest_update);
}

// Batches of other sizes may have more workers that update fewer numbers at a time: what there is
// serves all that came. It is known only when it is there.
template <class T>
void StepMemory<T>::reserve_updates(index_t workers, index_t largest) {
  constexpr index_t line = 64 / sizeof(T);
  workers = std::max(workers, workers_that_update);
  const index_t numbers = std::max(numbers_to_update, (largest + line - 1) / line * line);
  grow(gradients_to_update, workers * numbers);
  workers_that_update = workers;
  numbers_to_update = numbers;
}

template <class T>
index_t StepMemory<T>::size() const {
  index_t size = block_gradients.size() + losses.size() + scales.size() + norms.size() +
                 batch_sums.size() + sums.size() + lanes_of_workers.size() +
                 gradients_to_update.size();
  for (const Workspace<T>& workspace : workspaces) size += workspace.size();
  return size;
}

template struct StepMemory<float>;
template struct StepMemory<double>;

}  // namespace pymlp

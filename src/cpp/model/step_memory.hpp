// The memory of steps, taken once.
#pragma once

#include <vector>

#include "model/plan.hpp"
#include "model/workspace.hpp"

namespace pymlp {

template <class T>
struct StepMemory {
  StepMemory(const Program& program, Keep keep, index_t numbers_of_lanes);

  // What batches of this size need, cut like this. `largest_update`: the parameters that a worker
  // updates at a time as soon as it has their gradient, at most; 0: none.
  void reserve(const RowCuts& cuts, const Batch<T>& batch, index_t largest_update);
  void reserve_updates(index_t workers, index_t largest);
  Workspace<T>& workspace(index_t worker) { return workspaces[static_cast<std::size_t>(worker)]; }
  index_t size() const;  // the numbers that it holds
  T* gradient_beside(index_t i) { return block_gradients.data() + i * n_parameters; }

  // Where a worker puts so many numbers of a gradient that nobody wants after the update; null:
  // there is no room.
  T* gradient_to_update(index_t worker, index_t numbers) {
    if (worker >= workers_that_update || numbers > numbers_to_update) return nullptr;
    return gradients_to_update.data() + worker * numbers_to_update;
  }
  T* lanes(index_t worker) { return lanes_of_workers.data() + worker * numbers_of_lanes; }

  index_t n_parameters;
  index_t sums_of_a_block;
  index_t sums_of_a_batch;
  Placement places;
  // One for each worker where gradients are summed by block, else one that holds a segment.
  std::vector<Workspace<T>> workspaces;
  // Instead, where samples are lanes.
  index_t numbers_of_lanes;
  Buffer<T> lanes_of_workers;
  Buffer<T> block_gradients;  // arenas, beside the one that all are added to
  index_t workers_that_update = 0;
  index_t numbers_to_update = 0;  // of each worker, whole cache lines
  Buffer<T> gradients_to_update;
  Buffer<T> losses;      // of the rows of a segment
  Buffer<T> scales;      // their shares of the mean
  Buffer<T> norms;       // of the weights into each unit
  Buffer<T> batch_sums;  // and over the batch
  Buffer<T> sums;        // that operations take over each block of a segment
};

}  // namespace pymlp

// Plan: how batches run on this machine. The only place that decides.
//
// A batch is taken by segments of rows, one after the other, so that memory does not grow with it.
// A segment is cut into blocks of rows, which go through all operations, forth and back, in
// parallel. The gradients of the parameters sum over all rows. Where the parameters are far fewer
// than the numbers that a block holds, every block sums gradients of its own, in the cache of
// its thread, and these are added up in the order of the blocks; elsewhere they are summed over a
// whole segment, by stretches of parameters, in parallel.
//
// What decides the bits of a result is cut by sizes alone, never by the number of threads: segments
// and stretches always, blocks where something is summed over each. Other blocks follow the
// threads, so that all have equally much to do. Where there are fewer rows than make a block for
// each thread, a prediction's wide operations are cut by columns.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/arithmetic.hpp"
#include "model/program.hpp"
#include "model/row_cuts.hpp"
#include "ops/column_stage.hpp"

namespace pymlp {

enum class Purpose {
  training,   // loss, gradients, update
  gradient,   // loss and gradients
  pull_back,  // from a gradient at the outputs to that of parameters and inputs
  loss,
  trace,    // everything that a forward pass computes
  predict,  // outputs alone
};

// Dropout, and statistics of the batch itself, are for training. A training step is always in it;
// a loss and gradients may be measured as a step would see them.
enum class Mode { inference, training };

// What cuts follow from. Those of rows are fitted to second-level caches of a megabyte.
struct PlanLimits {
  static constexpr index_t few_rows = 32;  // below, a product cannot fill its registers
  // Of a block that follows the threads.
  static constexpr index_t fewest_rows = 4;
  static constexpr index_t fewest_rows_of_many_weights = 16;
  static constexpr index_t bytes_that_stay = 768 << 10;  // of weights, in a second-level cache
  static constexpr index_t many_rows = 256;             // above, a block's matrices leave the cache
  static constexpr index_t rows_of_outputs = 64;        // of a block that is computed forward alone
  static constexpr index_t blocks = 8;                  // enough to share among threads
  static constexpr double operations_of_a_block = 4e5;  // less is not worth a task
  static constexpr double operations_worth_sharing = 5e5;   // about 5 microseconds of one core
  static constexpr double operations_worth_columns = 2e6;   // threads wait after every product
  static constexpr double operations_of_a_part = 1e5;       // about a microsecond: of columns
  static constexpr index_t rows_that_weights_cost = 4;      // reading them, in operations of rows
  static constexpr double operations_of_a_long_job = 2e8;   // about 2 ms: blocks are smaller
  static constexpr double operations_of_a_long_step = 5e9;  // about 50 ms of one core
  static constexpr double operations_of_a_look = 1e9;       // about 10 ms of one core

  static constexpr index_t tasks_of_a_thread = 12;      // of more than two: parts of stretches
  static constexpr index_t few_inputs = 8;              // of a stretch, as few_rows
  static constexpr index_t fewest_inputs = 24;          // of one that is cut to fit into the cache
  static constexpr index_t bytes_in_cache = 384 << 10;  // a stretch's inputs, half a cache
  // The gradient of a part of a stretch that is updated at once; others are in the cache beside it.
  static constexpr index_t bytes_of_an_update = 128 << 10;
  static constexpr index_t products_of_a_stretch = 50000;  // less is not worth a task
  // A block sums gradients of its own where it holds this many numbers for each parameter.
  static constexpr index_t fewer_parameters = 4;

  // Segments, as blocks of many rows. Where gradients are summed over segments, these are whole
  // chains of products: the sums are those of one product over all rows.
  static constexpr index_t blocks_in_memory = 32;     // whose values and gradients are kept
  static constexpr index_t blocks_of_a_loss = 8;      // whose losses are summed at once
  static constexpr index_t gradients_in_memory = 64;  // of blocks that sum their own

  // Samples are lanes where no layer has more units and there are not more parameters, nor fewer
  // rows; a block that sums gradients then has at most so many rows.
  static constexpr index_t narrow = 16;
  static constexpr index_t few_parameters = 512;
  static constexpr index_t few_parameters_of_predictions = 256;
  static constexpr index_t rows_worth_lanes = 3;  // of 16 lanes, the others compute for nothing
  static constexpr index_t rows_worth_lanes_of_predictions = 32;
  static constexpr index_t rows_of_lanes = 1024;
};

class Plan {
 public:
  // For batches of up to `capacity` rows, numbers of `number_size` bytes. With user functions, in
  // the program or in a loss, all runs on the caller's thread. The program must outlive the plan.
  Plan(const Program& program, Purpose purpose, index_t capacity, index_t number_size, int threads,
       bool user_loss, Mode mode = Mode::inference, Arithmetic arithmetic = Arithmetic::exact);

  Purpose purpose() const { return purpose_; }
  Mode mode() const { return mode_; }
  Arithmetic arithmetic() const { return arithmetic_; }
  // Whether the batch's operations wait for sums over all of its rows.
  bool joins() const { return joins_; }
  index_t capacity() const { return capacity_; }
  int threads() const { return user_functions_ ? 1 : threads_; }
  bool calls_user_functions() const { return user_functions_; }
  void set_threads(int threads);
  // Whether samples are lanes, but for batches of the fewest rows: where every layer is narrow, a
  // dense product and an activation.
  bool lanes() const { return lanes_ && !user_functions_; }
  void set_user_loss(bool user) { user_functions_ = user || program_.has_user_functions(); }

  RowCuts cut(index_t rows) const;
  // Segments, and blocks where something is summed over each.
  RowCuts cut_by_sizes(index_t rows) const;
  // Of a block that follows the threads.
  index_t fewest_rows() const;
  // How many parts of an operation's columns are computed at the same time; 1: it is not cut.
  int column_parts(const Operation& op, index_t rows) const;
  std::vector<ColumnStage> column_stages(index_t rows) const;
  // The parameters that are trained, cut for gradients and updates.
  const std::vector<Stretch>& stretches() const { return stretches_; }
  // Of each stretch, its parts of the arena.
  const std::vector<ArenaRanges>& ranges() const { return ranges_; }
  // The same of all, in as few ranges as they make.
  const std::vector<Range>& trained() const { return trained_; }
  int threads_for_packing() const;
  // Whether a step of so many rows takes so long that it may have to be interrupted: nothing is
  // then written until all gradients are there.
  bool takes_long(index_t rows) const;
  // Whether signals are looked for between the operations of a block, not only between blocks.
  bool blocks_take_long() const;
  // In how many parts each stretch is shared out among so many threads.
  index_t parts_of_stretches(int threads) const;
  // The same where a part is updated as soon as it has its gradient, which is then still near; not
  // where the gradients by z of so many rows would have to be read from far away for each part.
  index_t parts_of_updates(const RowCuts& cuts) const;
  // The most parameters of such a part; 0 where none is updated so, or they are too many for the
  // cache.
  index_t largest_update(const RowCuts& cuts) const;
  // In how many parts the gradients of a stretch are computed, with a look for signals before each.
  index_t parts_of(const Stretch& stretch, index_t rows) const;

 private:
  bool outputs_alone() const { return purpose_ == Purpose::predict || purpose_ == Purpose::trace; }
  bool blocks_sum() const;
  bool weights_stay() const;
  index_t most_rows() const;
  double operations_of_a_row(const RowCuts& cuts) const;
  void follow_threads(RowCuts& cuts) const;
  void follow_columns(RowCuts& cuts) const;

  const Program& program_;
  Purpose purpose_;
  Mode mode_;
  Arithmetic arithmetic_;
  bool joins_;
  index_t capacity_;
  index_t number_size_;
  bool user_functions_;
  bool lanes_;
  int threads_ = 1;
  std::vector<Stretch> stretches_;
  std::vector<ArenaRanges> ranges_;
  std::vector<Range> trained_;
  index_t largest_stretch_ = 0;
};

// All parameters of a stretch.
ArenaRanges parameters_of(const Program& program, const Stretch& stretch);
// Its weights: what penalties and limits act on. Few operations have any.
Range weights_of(const Program& program, const Stretch& stretch);

}  // namespace pymlp

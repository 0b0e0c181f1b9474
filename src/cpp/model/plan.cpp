#include "model/plan.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "base/stages.hpp"
#include "base/team.hpp"
#include "kernels/panels.hpp"
#include "ops/table.hpp"

namespace pymlp {

namespace {

using Limits = PlanLimits;
static_assert(Limits::many_rows % kChain == 0);

// Handing work to another thread costs about a microsecond: 1, 2, 4, ... threads, or all of them.
int threads_for(double operations, int threads) {
  const double most = 2.0 * operations / Limits::operations_worth_sharing;
  if (most < 2.0) return 1;
  if (most >= threads) return threads;
  return static_cast<int>(std::bit_floor(static_cast<unsigned>(most)));
}

index_t ceiling(index_t dividend, index_t divisor) { return (dividend + divisor - 1) / divisor; }

// The cost of an operation for the rows of a block: with few of them, of reading its weights.
double cost_of(const Operation& op, index_t rows) {
  return static_cast<double>(std::max(rows, Limits::rows_that_weights_cost)) *
         traits_of(op).operations(op);
}

bool has_gradients(Purpose purpose) {
  return purpose == Purpose::training || purpose == Purpose::gradient ||
         purpose == Purpose::pull_back;
}

bool is_narrow(const Operation& op) {
  const bool dense = op.kind == OperationKind::dense && !op.has_scale && !op.gradient_begun;
  return (dense || op.kind == OperationKind::activation) && op.n_in <= Limits::narrow &&
         op.n_out <= Limits::narrow;
}

// A way back to the inputs, and all values of a forward pass, are asked for in rows.
bool can_have_lanes(const Program& program, Purpose purpose, index_t rows, Arithmetic arithmetic) {
  if (purpose == Purpose::pull_back || purpose == Purpose::trace) return false;
  const bool predicts = purpose == Purpose::predict;
  if (predicts && rows < Limits::rows_worth_lanes_of_predictions) return false;
  const index_t most = predicts ? Limits::few_parameters_of_predictions : Limits::few_parameters;
  return program.n_parameters() <= most && arithmetic == Arithmetic::exact &&
         std::ranges::all_of(program.operations(), is_narrow);
}

index_t block_count(index_t rows, double operations_of_a_row, index_t most_rows) {
  const double operations = static_cast<double>(rows) * operations_of_a_row;
  index_t count = 1;
  while (2 * count <= Limits::blocks && 2 * count * Limits::few_rows <= rows &&
         2.0 * static_cast<double>(count) * Limits::operations_of_a_block <= operations) {
    count *= 2;
  }
  return std::max(count, ceiling(rows, most_rows));
}

// Rows of a table are added to from all over the batch: they are not cut to fit into the cache.
index_t stretch_count(const Operation& op, index_t capacity, index_t size, index_t number_size) {
  if (op.kind != OperationKind::dense) {
    return std::clamp(ceiling(op.n_parameters, size), index_t{1},
                      std::max(index_t{1}, traits_of(op).parameter_rows(op) / Limits::few_inputs));
  }
  const index_t most_inputs =
      std::max(Limits::fewest_inputs, Limits::bytes_in_cache / (capacity * number_size));
  const index_t fair = std::clamp(ceiling(op.n_in * op.n_out, size), index_t{1},
                                  std::max(index_t{1}, op.n_in / Limits::few_inputs));
  return std::max(fair, ceiling(op.n_in, most_inputs));
}

// In the order of the arena, those that follow each other joined.
std::vector<Range> joined(const std::vector<ArenaRanges>& parts) {
  std::vector<Range> result;
  for (const ArenaRanges& ranges : parts) {
    for (const Range& range : ranges) {
      if (result.empty() || result.back().end() != range.first) {
        result.push_back(range);
      } else {
        result.back().count += range.count;
      }
    }
  }
  return result;
}

std::vector<Stretch> cut_parameters(const Program& program, index_t capacity, index_t number_size,
                                    bool lanes) {
  const index_t size = std::max(Limits::products_of_a_stretch / capacity + 1,
                                program.n_parameters() / Limits::blocks);
  std::vector<Stretch> stretches;
  for (index_t i = 0; i < program.n_operations(); ++i) {
    const Operation& op = program.operation(i);
    const index_t rows = traits_of(op).parameter_rows(op);
    if (rows == 0 || op.frozen) continue;
    const index_t count = rows > 1 && !lanes ? stretch_count(op, capacity, size, number_size) : 1;
    for (index_t s = 0; s < count; ++s) stretches.push_back({i, part_of(rows, s, count)});
  }
  return stretches;
}

index_t numbers_in(const ArenaRanges& ranges) {
  index_t count = 0;
  for (const Range& range : ranges) count += range.count;
  return count;
}

index_t widest_output(const Program& program) {
  index_t widest = 0;
  for (const Operation& op : program.operations()) widest = std::max(widest, op.n_out);
  return widest;
}

// Whether a block is better off with gradients of its own: where the parameters are far fewer than
// what the block would hand over to other threads.
bool sums_by_block(const Program& program, index_t largest_block) {
  return Limits::fewer_parameters * program.n_parameters() <=
         largest_block * program.numbers_of_a_sample();
}

// Whether columns of its output follow from the same columns of its input.
bool works_on_columns(const Operation& op) {
  return traits_of(op).by_columns(op) && traits_of(op).multiply_adds(op) == 0.0;
}

}  // namespace

Plan::Plan(const Program& program, Purpose purpose, index_t capacity, index_t number_size,
           int threads, bool user_loss, Mode mode, Arithmetic arithmetic)
    : program_(program),
      purpose_(purpose),
      mode_(purpose == Purpose::training ? Mode::training : mode),
      arithmetic_(arithmetic),
      joins_(mode_ == Mode::training && program.joins()),
      capacity_(capacity),
      number_size_(number_size) {
  set_threads(threads);
  set_user_loss(user_loss);
  lanes_ = can_have_lanes(program, purpose, capacity, arithmetic);
  if (!has_gradients(purpose)) return;
  stretches_ = cut_parameters(program, capacity, number_size, lanes_);
  for (const Stretch& stretch : stretches_) {
    ranges_.push_back(parameters_of(program, stretch));
    largest_stretch_ = std::max(largest_stretch_, numbers_in(ranges_.back()));
  }
  trained_ = joined(ranges_);
}

void Plan::set_threads(int threads) {
  check(threads >= 1 && threads <= kMaxThreads, "threads must be from 1 to ", kMaxThreads, ", not ",
        threads);
  threads_ = threads;
}

// Whether a result depends on the rows of each block.
bool Plan::blocks_sum() const {
  return joins_ || (has_gradients(purpose_) && program_.sums_of_a_block() > 0);
}

RowCuts Plan::cut(index_t rows) const {
  RowCuts cuts = cut_by_sizes(rows);
  cuts.threads = threads_for(static_cast<double>(rows) * operations_of_a_row(cuts), threads());
  // Adding up and updating is little work where there are few parameters.
  constexpr double kOperationsOfAByte = 25.0;
  const auto bytes = static_cast<double>(program_.n_parameters() * number_size_);
  cuts.threads_for_stretches =
      cuts.gradients_by_block ? threads_for(kOperationsOfAByte * bytes, threads()) : cuts.threads;
  // The bits of BLAS depend on the number of rows.
  const bool free = !cuts.gradients_by_block && !blocks_sum() && arithmetic_ == Arithmetic::exact;
  if (free) follow_threads(cuts);
  if (free && purpose_ == Purpose::predict) follow_columns(cuts);
  return cuts;
}

// Predictions of narrow networks take most of their time to turn rows into lanes and back.
double Plan::operations_of_a_row(const RowCuts& cuts) const {
  constexpr double kOperationsOfANumber = 40.0;
  const bool turned = cuts.lanes && purpose_ == Purpose::predict;
  const index_t moved = turned ? program_.n_inputs() + program_.n_outputs() : 0;
  return program_.forward_operations() + kOperationsOfANumber * static_cast<double>(moved);
}

RowCuts Plan::cut_by_sizes(index_t rows) const {
  const bool own = has_gradients(purpose_) && purpose_ != Purpose::pull_back && !joins_;
  const bool fills_lanes = rows >= Limits::rows_worth_lanes ||
                           program_.n_parameters() <= Limits::few_parameters_of_predictions;
  const bool samples_are_lanes = lanes() && fills_lanes;
  const bool in_lanes = own && samples_are_lanes;
  const index_t most_rows = in_lanes ? Limits::rows_of_lanes : Limits::many_rows;
  RowCuts cuts{rows,  block_count(rows, program_.forward_operations(), most_rows),
               0,     0,
               false, samples_are_lanes,
               0,     0};
  cuts.blocks_of_a_segment = cuts.blocks;
  cuts.gradients_by_block = in_lanes || (own && sums_by_block(program_, cuts.largest_block()));
  // Sums over the batch need all of it in memory.
  if (joins_) return cuts;
  if (cuts.gradients_by_block) {
    cuts.blocks_of_a_segment = std::min(cuts.blocks, Limits::gradients_in_memory);
    return cuts;
  }
  const index_t most =
      purpose_ == Purpose::loss ? Limits::blocks_of_a_loss : Limits::blocks_in_memory;
  if (cuts.blocks <= most) return cuts;
  cuts.blocks_of_a_segment = most;
  cuts.rows_of_a_segment = most * Limits::many_rows;
  return cuts;
}

// As many blocks for each thread: one where the work is short, so that weights are read once.
void Plan::follow_threads(RowCuts& cuts) const {
  cuts.kind = Blocks::of_threads;
  if (cuts.threads == 1 && cuts.rows <= Limits::rows_of_outputs) {
    cuts.blocks = cuts.blocks_of_a_segment = 1;  // of a few microseconds: no time for divisions
    return;
  }
  if (outputs_alone()) cuts.rows_of_a_segment = 0;
  const index_t rows = cuts.rows_of_a_segment > 0 ? cuts.rows_of_a_segment : cuts.rows;
  const index_t threads = cuts.threads;
  const double operations = static_cast<double>(rows) * program_.forward_operations();
  const index_t rounds = operations > Limits::operations_of_a_long_job * cuts.threads ? 2 : 1;
  const index_t fewest = ceiling(rows, most_rows());
  const index_t most = std::max(fewest, rows / fewest_rows());
  const index_t blocks = std::min(most, threads * std::max(rounds, ceiling(fewest, threads)));
  cuts.blocks = cuts.blocks_of_a_segment = blocks;
  if (cuts.rows_of_a_segment > 0) cuts.blocks = ceiling(cuts.rows * blocks, rows);
}

// Of a block that follows the threads. Weights that do not stay in the cache are read for every
// block: it has as many rows as stay there instead.
index_t Plan::most_rows() const {
  if (!outputs_alone()) return Limits::many_rows;
  if (weights_stay()) return Limits::rows_of_outputs;
  const index_t bytes_of_a_row = program_.widest() * number_size_;
  return std::clamp(Limits::bytes_that_stay / bytes_of_a_row, Limits::rows_of_outputs,
                    Limits::many_rows);
}

bool Plan::weights_stay() const {
  return program_.n_parameters() * number_size_ <= Limits::bytes_that_stay;
}

// Every thread reads all weights: few rows repay that where these stay in its own cache.
index_t Plan::fewest_rows() const {
  return weights_stay() ? Limits::fewest_rows : Limits::fewest_rows_of_many_weights;
}

// Fewer rows than make a block for each thread: they share the columns of wide operations.
void Plan::follow_columns(RowCuts& cuts) const {
  if (cuts.rows > Limits::many_rows || threads() == 1) return;
  const index_t rows = std::max(cuts.rows, Limits::rows_that_weights_cost);
  const double cost = static_cast<double>(rows) * program_.forward_operations();
  const int threads_of_columns = threads_for(
      cost * Limits::operations_worth_sharing / Limits::operations_worth_columns, threads());
  if (threads_of_columns <= cuts.blocks) return;
  const auto is_cut = [&](const Operation& op) { return column_parts(op, cuts.rows) > 1; };
  if (!std::ranges::any_of(program_.operations(), is_cut)) return;
  cuts.blocks = cuts.blocks_of_a_segment = 1;
  cuts.threads = threads_of_columns;
  cuts.kind = Blocks::of_columns;
}

int Plan::column_parts(const Operation& op, index_t rows) const {
  if (!traits_of(op).by_columns(op)) return 1;
  const double worth = cost_of(op, rows) / Limits::operations_of_a_part;
  const index_t most =
      std::min<index_t>({threads(), kMostParts, ColumnStage::most_parts(op.n_out)});
  return static_cast<int>(std::clamp(worth, 1.0, static_cast<double>(most)));
}

std::vector<ColumnStage> Plan::column_stages(index_t rows) const {
  std::vector<ColumnStage> stages;
  for (index_t i = 0; i < program_.n_operations();) {
    const Operation& op = program_.operation(i);
    const index_t first = i++;
    const int parts = column_parts(op, rows);
    while (parts > 1 && i < program_.n_operations() && works_on_columns(program_.operation(i))) ++i;
    stages.push_back({{first, i - first}, op.n_out, parts});
  }
  return stages;
}

int Plan::threads_for_packing() const {
  return threads_for(program_.forward_operations(), threads());
}

bool Plan::takes_long(index_t rows) const {
  return 3.0 * static_cast<double>(rows) * program_.forward_operations() >
         Limits::operations_of_a_long_step;
}

bool Plan::blocks_take_long() const {
  const index_t rows = std::min(capacity_, Limits::many_rows);
  return static_cast<double>(rows) * program_.forward_operations() > Limits::operations_of_a_look;
}

// The cuts of sizes suit two threads, and BLAS, whose bits depend on the number of rows.
index_t Plan::parts_of_stretches(int threads) const {
  if (threads <= 2 || stretches_.empty() || arithmetic_ != Arithmetic::exact) return 1;
  return ceiling(Limits::tasks_of_a_thread * threads, std::ssize(stretches_));
}

index_t Plan::parts_of_updates(const RowCuts& cuts) const {
  const index_t parts = parts_of_stretches(cuts.threads_for_stretches);
  const index_t gradients = cuts.rows * widest_output(program_) * number_size_;
  if (gradients > Limits::bytes_in_cache || arithmetic_ != Arithmetic::exact) return parts;
  return std::max(parts, ceiling(largest_stretch_ * number_size_, Limits::bytes_of_an_update));
}

index_t Plan::largest_update(const RowCuts& cuts) const {
  if (purpose_ != Purpose::training || !cuts.sums_at_once()) return 0;
  const index_t parts = parts_of_updates(cuts);
  index_t most = 0;
  for (const Stretch& stretch : stretches_) {
    for (index_t i = 0; i < parts; ++i) {
      most = std::max(most, numbers_in(parameters_of(program_, part_of(stretch, i, parts))));
    }
  }
  return most * number_size_ <= Limits::bytes_in_cache ? most : 0;
}

index_t Plan::parts_of(const Stretch& stretch, index_t rows) const {
  const Range weights = weights_of(program_, stretch);
  const double operations = 2.0 * static_cast<double>(rows) * static_cast<double>(weights.count);
  const auto parts = static_cast<index_t>(operations / Limits::operations_of_a_look) + 1;
  return std::min(parts, stretch.rows.count);
}

Range weights_of(const Program& program, const Stretch& stretch) {
  const Operation& op = program.operation(stretch.operation);
  if (op.kind != OperationKind::dense) return {op.first_parameter, 0};
  return weight_range(op, stretch.rows);
}

ArenaRanges parameters_of(const Program& program, const Stretch& stretch) {
  const Operation& op = program.operation(stretch.operation);
  return traits_of(op).ranges(op, stretch.rows);
}

}  // namespace pymlp

#include "model/plan.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/team.hpp"
#include "kernels/panels.hpp"
#include "kernels/product.hpp"
#include "ops/table.hpp"

namespace pymlp {

namespace {

using Limits = PlanLimits;
static_assert(Limits::many_rows % kChain == 0);

// Handing work to another thread costs about a microsecond.
int threads_for(double operations, int threads) {
  return operations < Limits::operations_worth_sharing ? 1 : threads;
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
bool can_have_lanes(const Program& program, Purpose purpose, index_t rows) {
  if (purpose == Purpose::pull_back || purpose == Purpose::trace) return false;
  const bool predicts = purpose == Purpose::predict;
  if (predicts && rows < Limits::rows_worth_lanes) return false;
  const index_t most = predicts ? Limits::few_parameters_of_predictions : Limits::few_parameters;
  return program.n_parameters() <= most && product::backend() == product::Backend::native &&
         std::ranges::all_of(program.operations(), is_narrow);
}

index_t whole_lanes(index_t rows) {
  return (rows + Limits::narrow - 1) / Limits::narrow * Limits::narrow;
}

index_t block_count(index_t rows, double operations_of_a_row, index_t most_rows) {
  const double operations = static_cast<double>(rows) * operations_of_a_row;
  index_t count = 1;
  while (2 * count <= Limits::blocks && 2 * count * Limits::few_rows <= rows &&
         2.0 * static_cast<double>(count) * Limits::operations_of_a_block <= operations) {
    count *= 2;
  }
  return std::max(count, (rows + most_rows - 1) / most_rows);
}

index_t stretch_count(const Operation& op, index_t capacity, index_t size, index_t number_size) {
  const index_t most_inputs =
      std::max(Limits::fewest_inputs, Limits::bytes_in_cache / (capacity * number_size));
  const index_t fair = std::clamp((op.n_in * op.n_out + size - 1) / size, index_t{1},
                                  std::max(index_t{1}, op.n_in / Limits::few_inputs));
  return std::max(fair, (op.n_in + most_inputs - 1) / most_inputs);
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

// Whether a block is better off with gradients of its own: where the parameters are far fewer than
// what the block would hand over to other threads.
bool sums_by_block(const Program& program, index_t largest_block) {
  return Limits::fewer_parameters * program.n_parameters() <=
         largest_block * program.numbers_of_a_sample();
}

index_t most_blocks_of_a_segment(Purpose purpose, bool gradients_by_block) {
  if (gradients_by_block) return Limits::gradients_in_memory;
  return purpose == Purpose::loss ? Limits::blocks_of_a_loss : Limits::blocks_in_memory;
}

}  // namespace

Range RowCuts::block(index_t b) const {
  if (blocks == 1) return {0, rows};
  if (rows_of_a_block == 0) return part_of(rows, b, blocks);
  const index_t first = b * rows_of_a_block;
  return {first, std::min(rows_of_a_block, rows - first)};
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
  return rows_of_a_block > 0 ? rows_of_a_block : (rows + blocks - 1) / blocks;
}

Plan::Plan(const Program& program, Purpose purpose, index_t capacity, index_t number_size,
           int threads, bool user_loss, Mode mode)
    : program_(program),
      purpose_(purpose),
      mode_(purpose == Purpose::training ? Mode::training : mode),
      joins_(mode_ == Mode::training && program.joins()),
      capacity_(capacity),
      threads_(threads) {
  check(threads >= 1 && threads <= kMaxThreads, "threads must be from 1 to ", kMaxThreads, ", not ",
        threads);
  set_user_loss(user_loss);
  lanes_ = can_have_lanes(program, purpose, capacity);
  if (!has_gradients(purpose)) return;
  stretches_ = cut_parameters(program, capacity, number_size, lanes_);
  for (const Stretch& stretch : stretches_) ranges_.push_back(parameters_of(program, stretch));
  trained_ = joined(ranges_);
}

RowCuts Plan::cut(index_t rows) const {
  const double operations = static_cast<double>(rows) * program_.forward_operations();
  const bool sums_in_lanes = lanes() && has_gradients(purpose_);
  const index_t most_rows = sums_in_lanes ? Limits::rows_of_lanes : Limits::many_rows;
  RowCuts cuts{
      rows, block_count(rows, program_.forward_operations(), most_rows), 0, 0, false, lanes(), 0,
      0};
  cuts.threads = threads_for(operations, threads());
  cuts.gradients_by_block =
      sums_in_lanes || (has_gradients(purpose_) && purpose_ != Purpose::pull_back && !joins_ &&
                        sums_by_block(program_, cuts.largest_block()));
  if (sums_in_lanes && cuts.blocks > 1) {
    cuts.rows_of_a_block = whole_lanes(cuts.largest_block());
    cuts.blocks = (rows + cuts.rows_of_a_block - 1) / cuts.rows_of_a_block;
  }
  const index_t most = most_blocks_of_a_segment(purpose_, cuts.gradients_by_block);
  if (cuts.blocks > most && !cuts.gradients_by_block) cuts.rows_of_a_block = Limits::many_rows;
  // Sums over the batch need all of it in memory.
  cuts.blocks_of_a_segment = joins_ ? cuts.blocks : std::min(cuts.blocks, most);
  // Adding up and updating is little work where there are few parameters.
  constexpr double kOperations = 100.0;
  cuts.threads_for_stretches =
      cuts.gradients_by_block
          ? threads_for(kOperations * static_cast<double>(program_.n_parameters()), threads())
          : cuts.threads;
  return cuts;
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

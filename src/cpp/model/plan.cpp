#include "model/plan.hpp"

#include <algorithm>

#include "kernels/panels.hpp"
#include "ops/table.hpp"

namespace pymlp {

namespace {

constexpr index_t kFewRows = 32;        // below this many a product cannot fill its registers
constexpr index_t kManyRows = 256;      // above, a block's matrices leave the second-level cache
constexpr index_t kBlocks = 8;          // enough to share among threads
constexpr double kFewOperations = 4e5;  // of a block of rows; less is not worth a task

constexpr index_t kFewInputs = 8;        // as kFewRows, for gradients of weights
constexpr index_t kFewestInputs = 24;    // of a stretch that is cut for the cache's sake
constexpr index_t kInCache = 384 << 10;  // bytes of a stretch's inputs, half a second-level cache
constexpr index_t kFewProducts = 50000;  // of a stretch, as kFewOperations

// Blocks of a segment. Where gradients are summed over segments, these are whole chains of
// products: the sums are those of one product over all rows.
constexpr index_t kBlocksInMemory = 32;     // whose values and gradients wait for each other
constexpr index_t kGradientsInMemory = 64;  // each an arena
constexpr index_t kBlocksOfALoss = 8;       // whose losses are summed at once
static_assert(kManyRows % kChain == 0);

constexpr double kWorthSharing = 5e5;  // operations, about 5 microseconds of one core
constexpr double kLongStep = 5e9;      // more than about 50 ms of one core

// Handing work to another thread costs about a microsecond.
int threads_for(double operations, int threads) { return operations < kWorthSharing ? 1 : threads; }

bool has_gradients(Purpose purpose) {
  return purpose == Purpose::training || purpose == Purpose::gradient ||
         purpose == Purpose::pull_back;
}

index_t block_count(index_t rows, double operations_of_a_row) {
  const double operations = static_cast<double>(rows) * operations_of_a_row;
  index_t count = 1;
  while (2 * count <= kBlocks && 2 * count * kFewRows <= rows &&
         2.0 * static_cast<double>(count) * kFewOperations <= operations) {
    count *= 2;
  }
  return std::max(count, (rows + kManyRows - 1) / kManyRows);
}

index_t stretch_count(const Operation& op, index_t capacity, index_t size, index_t number_size) {
  const index_t most_inputs = std::max(kFewestInputs, kInCache / (capacity * number_size));
  const index_t fair = std::clamp((op.n_in * op.n_out + size - 1) / size, index_t{1},
                                  std::max(index_t{1}, op.n_in / kFewInputs));
  return std::max(fair, (op.n_in + most_inputs - 1) / most_inputs);
}

std::vector<Stretch> cut_parameters(const Program& program, index_t capacity, index_t number_size) {
  const index_t size = std::max(kFewProducts / capacity + 1, program.n_parameters() / kBlocks);
  std::vector<Stretch> stretches;
  for (index_t i = 0; i < program.n_operations(); ++i) {
    const Operation& op = program.operation(i);
    const index_t rows = traits_of(op).parameter_rows(op);
    if (rows == 0) continue;
    const index_t count = stretch_count(op, capacity, size, number_size);
    for (index_t s = 0; s < count; ++s) stretches.push_back({i, part_of(rows, s, count)});
  }
  return stretches;
}

// Whether a block is better off with gradients of its own: where the parameters are far fewer than
// what the block would hand over to other threads.
bool sums_by_block(const Program& program, index_t largest_block) {
  constexpr index_t kFewer = 4;
  return kFewer * program.n_parameters() <= largest_block * program.numbers_of_a_sample();
}

index_t most_blocks_of_a_segment(Purpose purpose, bool gradients_by_block) {
  if (gradients_by_block) return kGradientsInMemory;
  return purpose == Purpose::loss ? kBlocksOfALoss : kBlocksInMemory;
}

}  // namespace

Range RowCuts::block(index_t b) const {
  if (rows_of_a_block == 0) return part_of(rows, b, blocks);
  const index_t first = b * rows_of_a_block;
  return {first, std::min(rows_of_a_block, rows - first)};
}

Range RowCuts::blocks_in(index_t segment) const {
  const index_t first = segment * blocks_of_a_segment;
  return {first, std::min(blocks_of_a_segment, blocks - first)};
}

Range RowCuts::rows_in(index_t segment) const {
  const Range inside = blocks_in(segment);
  const index_t first = block(inside.first).first;
  return {first, block(inside.end() - 1).end() - first};
}

index_t RowCuts::largest_block() const {
  return rows_of_a_block > 0 ? rows_of_a_block : (rows + blocks - 1) / blocks;
}

Plan::Plan(const Program& program, Purpose purpose, index_t capacity, index_t number_size,
           int threads, bool user_functions)
    : program_(program),
      purpose_(purpose),
      capacity_(capacity),
      user_functions_(user_functions || program.has_user_functions()),
      threads_(user_functions_ ? 1 : threads) {
  if (has_gradients(purpose)) stretches_ = cut_parameters(program, capacity, number_size);
}

RowCuts Plan::cut(index_t rows) const {
  const double operations = static_cast<double>(rows) * program_.forward_operations();
  RowCuts cuts{rows, block_count(rows, program_.forward_operations()), 0, 0, false, 0, 0};
  cuts.threads = threads_for(operations, threads_);
  cuts.gradients_by_block = has_gradients(purpose_) && purpose_ != Purpose::pull_back &&
                            sums_by_block(program_, cuts.largest_block());
  const index_t most = most_blocks_of_a_segment(purpose_, cuts.gradients_by_block);
  if (cuts.blocks > most && !cuts.gradients_by_block) cuts.rows_of_a_block = kManyRows;
  cuts.blocks_of_a_segment = std::min(cuts.blocks, most);
  // Adding up and updating is little work where there are few parameters.
  constexpr double kOperations = 100.0;
  cuts.threads_for_stretches =
      cuts.gradients_by_block
          ? threads_for(kOperations * static_cast<double>(program_.n_parameters()), threads_)
          : cuts.threads;
  return cuts;
}

int Plan::threads_for_packing() const {
  return threads_for(program_.forward_operations(), threads_);
}

bool Plan::takes_long(index_t rows) const {
  return 3.0 * static_cast<double>(rows) * program_.forward_operations() > kLongStep;
}

Range weights_of(const Program& program, const Stretch& stretch) {
  const Operation& op = program.operation(stretch.operation);
  return {op.first_parameter + stretch.rows.first * op.n_out, stretch.rows.count * op.n_out};
}

Range parameters_of(const Program& program, const Stretch& stretch) {
  const Operation& op = program.operation(stretch.operation);
  const OperationTraits& traits = traits_of(op);
  const Range weights = weights_of(program, stretch);
  if (stretch.rows.end() < traits.parameter_rows(op)) return weights;
  return {weights.first, op.first_parameter + traits.n_parameters(op) - weights.first};
}

}  // namespace pymlp

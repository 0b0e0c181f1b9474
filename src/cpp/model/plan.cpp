#include "model/plan.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/team.hpp"
#include "kernels/panels.hpp"
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

index_t block_count(index_t rows, double operations_of_a_row) {
  const double operations = static_cast<double>(rows) * operations_of_a_row;
  index_t count = 1;
  while (2 * count <= Limits::blocks && 2 * count * Limits::few_rows <= rows &&
         2.0 * static_cast<double>(count) * Limits::operations_of_a_block <= operations) {
    count *= 2;
  }
  return std::max(count, (rows + Limits::many_rows - 1) / Limits::many_rows);
}

index_t stretch_count(const Operation& op, index_t capacity, index_t size, index_t number_size) {
  const index_t most_inputs =
      std::max(Limits::fewest_inputs, Limits::bytes_in_cache / (capacity * number_size));
  const index_t fair = std::clamp((op.n_in * op.n_out + size - 1) / size, index_t{1},
                                  std::max(index_t{1}, op.n_in / Limits::few_inputs));
  return std::max(fair, (op.n_in + most_inputs - 1) / most_inputs);
}

std::vector<Stretch> cut_parameters(const Program& program, index_t capacity, index_t number_size) {
  const index_t size = std::max(Limits::products_of_a_stretch / capacity + 1,
                                program.n_parameters() / Limits::blocks);
  std::vector<Stretch> stretches;
  for (index_t i = 0; i < program.n_operations(); ++i) {
    const Operation& op = program.operation(i);
    const index_t rows = traits_of(op).parameter_rows(op);
    if (rows == 0 || op.frozen) continue;
    const index_t count = rows > 1 ? stretch_count(op, capacity, size, number_size) : 1;
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
      capacity_(capacity) {
  set_threads(threads);
  set_user_loss(user_loss);
  if (!has_gradients(purpose)) return;
  stretches_ = cut_parameters(program, capacity, number_size);
  for (const Stretch& stretch : stretches_) ranges_.push_back(parameters_of(program, stretch));
}

void Plan::set_threads(int threads) {
  check(threads >= 1 && threads <= kMaxThreads, "threads must be from 1 to ", kMaxThreads, ", not ",
        threads);
  threads_ = threads;
}

RowCuts Plan::cut(index_t rows) const {
  const double operations = static_cast<double>(rows) * program_.forward_operations();
  RowCuts cuts{rows, block_count(rows, program_.forward_operations()), 0, 0, false, 0, 0};
  cuts.threads = threads_for(operations, threads());
  cuts.gradients_by_block = has_gradients(purpose_) && purpose_ != Purpose::pull_back && !joins_ &&
                            sums_by_block(program_, cuts.largest_block());
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

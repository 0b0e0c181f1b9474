#include "model/step.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/copy_rows.hpp"
#include "model/gradient_sum.hpp"
#include "ops/propagation.hpp"

namespace pymlp {

template <class T>
Step<T>::Step(const Program& program, const Loss& loss, Purpose purpose, index_t capacity,
              int threads, Mode mode, Arithmetic arithmetic)
    : program_(program),
      loss_(loss),
      plan_(program, purpose, capacity, sizeof(T), threads, loss.custom != nullptr, mode,
            arithmetic),
      lanes_(program),
      memory_(program, keep_for(purpose, plan_.mode(), program), lanes_.numbers()),
      penalties_(plan_.stretches().size()),
      squares_(plan_.stretches().size()),
      phases_(phases_of(program, plan_.joins(), purpose != Purpose::loss)),
      first_back_(program.first_trained() + 1) {
  if (purpose == Purpose::pull_back) first_back_ = 0;
  if (!plan_.lanes()) need_packed();
}

template <class T>
void Step<T>::reserve(const RowCuts& cuts, const Batch<T>& batch) {
  if (!cuts.lanes) need_packed();
  memory_.reserve(cuts, batch, plan_.largest_update(cuts));
}

template <class T>
void Step<T>::need_packed() {
  if (packed_ || plan_.purpose() == Purpose::loss) return;
  packed_.emplace(program_.operations(), first_back_, plan_.arithmetic());
  parameters_changed();
}

template <class T>
index_t Step<T>::bytes() const {
  const index_t packed = packed_ ? packed_->size() : 0;
  return (memory_.size() + packed + write_guard_.size()) * static_cast<index_t>(sizeof(T));
}

// ---- a batch ------------------------------------------------------------------------------------

template <class T>
BatchLoss Step<T>::run(const Pass<T>& pass) {
  const RowCuts& cuts = cuts_of(pass.batch);
  const BatchLoss loss = run_segments(pass, cuts);
  if (pass.gradient == nullptr || came(pass.interrupt)) return loss;
  const index_t parts = plan_.parts_of_stretches(cuts.threads_for_stretches);
  for_parts_of_stretches(cuts, parts,
                         [&](std::size_t, const Stretch& stretch, const ArenaRanges&, index_t) {
                           if (!requested(pass.interrupt)) collect_last(pass, cuts, stretch);
                         });
  return loss;
}

// Batches of a training have one size, but for the last of an epoch: the cuts of two are kept.
template <class T>
const RowCuts& Step<T>::cuts_of(const Batch<T>& batch) {
  const bool gathers = batch.order != nullptr;
  if (std::exchange(gathers_, gathers) != gathers) cuts_ = {};
  if (cuts_[0].rows != batch.size()) std::swap(cuts_[0], cuts_[1]);
  if (cuts_[0].rows != batch.size()) {
    const RowCuts cuts = plan_.cut(batch.size());
    reserve(cuts, batch);  // which may throw: then nothing is known of this batch
    cuts_[0] = cuts;
  }
  return cuts_[0];
}

template <class T>
BatchLoss Step<T>::run_segments(const Pass<T>& pass, const RowCuts& cuts) {
  check(!plan_.joins() || cuts.rows >= 2, "batch norm needs at least 2 rows in training, not ",
        cuts.rows);
  if (packed_ && !packed_is_current_ && !cuts.lanes) {
    packed_->refresh(pass.parameters, plan_.threads_for_packing());
    packed_is_current_ = true;
  }
  BatchLoss result;
  // Gradients need the weight of all rows at first; a loss alone is summed by segments.
  const bool alone = plan_.purpose() == Purpose::loss;
  if (!alone) result.weight = total_weight(pass.batch, {0, cuts.rows});
  const Share share(result.weight);
  for (index_t segment = 0;; ++segment) {
    run_phases(pass, cuts, segment, share);
    const Range rows = cuts.rows_in(segment);
    result.sum += weighted_sum(memory_.losses.data(), pass.batch, rows);
    if (alone) result.weight += total_weight(pass.batch, rows);
    if (segment + 1 == cuts.segments() || came(pass.interrupt)) return result;
    if (pass.gradient == nullptr) continue;
    const index_t parts = plan_.parts_of_stretches(cuts.threads_for_stretches);
    for_parts_of_stretches(cuts, parts,
                           [&](std::size_t, const Stretch& stretch, const ArenaRanges&, index_t) {
                             if (!requested(pass.interrupt)) collect(pass, cuts, segment, stretch);
                           });
    if (came(pass.interrupt)) return result;
  }
}

// All blocks of a segment end a phase before the next begins.
template <class T>
void Step<T>::run_phases(const Pass<T>& pass, const RowCuts& cuts, index_t segment,
                         const Share& share) {
  const Range blocks = cuts.blocks_in(segment);
  const index_t operations = std::ssize(operations_of(pass));
  for (const Phase& phase : phases_) {
    const Part part{cuts, segment, phase, operations};
    parallel_for(blocks.count, cuts.threads, [&](index_t b, index_t worker) {
      if (!requested(pass.interrupt)) run_block(pass, part, blocks.first + b, worker, share);
    });
    if (phase.joint < 0 || came(pass.interrupt)) return;
    const Operation& op = program_.operation(phase.joint);
    const Block<T> batch = batch_of(pass, cuts);
    (phase.joins_forth() ? functions_of<T>(op).join : functions_of<T>(op).join_back)(op, batch);
  }
}

// ---- a block of rows ----------------------------------------------------------------------------

template <class T>
void Step<T>::run_block(const Pass<T>& pass, const Part& part, index_t b, index_t worker,
                        const Share& share) {
  if (part.cuts.lanes) return run_lanes(pass, part, b, worker, share);
  const auto& [cuts, segment, phase, operations] = part;
  const Range rows = cuts.block(b);
  const index_t at = rows.first - cuts.rows_in(segment).first;
  const bool by_block = cuts.gradients_by_block;
  Workspace<T>& workspace = memory_.workspace(by_block ? worker : 0);
  const index_t first = by_block ? 0 : at;
  const Samples<T> samples = phase.is_first ? workspace.room().fill(pass.batch, rows, first)
                                            : workspace.room().filled(pass.batch, rows, first);
  const Block<T> block =
      block_in(pass, workspace, samples.x, first, rows.first, b - cuts.blocks_in(segment).first);
  if (phase.is_first) set_scales(memory_.scales.data() + at, pass.batch, rows, share);
  go_forth(part, block);
  if (came(block.interrupt)) return;
  if (phase.has_loss) begin_backward(pass, block, samples, at);
  if (plan_.purpose() == Purpose::loss) return;
  go_back(pass, part, block);
  if (by_block && pass.gradient != nullptr) {
    sum_block(program_, block, gradient_of_block(cuts, segment, b, memory_, pass.gradient));
  }
}

template <class T>
void Step<T>::run_lanes(const Pass<T>& pass, const Part& part, index_t b, index_t worker,
                        const Share& share) {
  const Range rows = part.cuts.block(b);
  const index_t at = rows.first - part.cuts.rows_in(part.segment).first;
  T* const gradient = pass.gradient == nullptr
                          ? nullptr
                          : gradient_of_block(part.cuts, part.segment, b, memory_, pass.gradient);
  lanes_.run({pass.parameters, pass.batch, rows, share, loss_, memory_.losses.data() + at, gradient,
              plan_.trained(), pass.dz},
             memory_.lanes(worker));
}

template <class T>
void Step<T>::go_forth(const Part& part, const Block<T>& block) const {
  const auto& [cuts, segment, phase, operations] = part;
  const auto first = static_cast<std::size_t>(phase.forward.first);
  const auto end = static_cast<std::size_t>(std::min(phase.forward.end(), operations));
  propagate(program_.operations().subspan(first, end - first), block);
  if (!phase.joins_forth() || came(block.interrupt)) return;
  const Operation& op = program_.operation(phase.joint);
  functions_of<T>(op).measure(op, block);
}

// The loss may be computed from z of the last layer: its activation is then left out both ways.
template <class T>
std::span<const Operation> Step<T>::operations_of(const Pass<T>& pass) const {
  const auto all = program_.operations();
  const bool from_logits =
      pass.dy.data == nullptr && computed_from_logits(loss_, program_.output());
  return all.first(all.size() - (from_logits ? 1 : 0));
}

// The losses, and the gradient at the outputs; the gradient alone where it was given.
template <class T>
void Step<T>::begin_backward(const Pass<T>& pass, const Block<T>& block, const Samples<T>& samples,
                             index_t at) {
  const Operation& output = program_.operations().back();
  const MatrixView<T> gradient = block.output_gradient(output);
  if (pass.dy.data != nullptr) {
    return copy_rows(gradient, pass.dy.slice(block.first_of_batch, block.rows()));
  }
  const T* scales = memory_.scales.data() + at;
  loss_and_gradient<T>(memory_.losses.data() + at, gradient, block.input(output),
                       block.output(output), samples.targets, scales, loss_, output.activation);
  if (pass.batch.source.weights() != nullptr) clear_unweighted(gradient, scales);
}

template <class T>
void Step<T>::go_back(const Pass<T>& pass, const Part& part, const Block<T>& block) const {
  const auto& [cuts, segment, phase, operations] = part;
  const index_t last = std::max(phase.backward.first, first_back_);
  for (index_t i = std::min(phase.backward.end(), operations); i-- > last;) {
    if (requested(block.interrupt)) return;
    const Operation& op = program_.operation(i);
    if (pass.dz != nullptr) copy_dz(pass, block, i);
    functions_of<T>(op).backward(op, block);
  }
  // What ends here has its gradient from the loop, and does not go further.
  if (pass.dz != nullptr && last > 0) copy_dz(pass, block, last - 1);
  if (!phase.joins_back()) return;
  const Operation& op = program_.operation(phase.joint);
  functions_of<T>(op).measure_back(op, block);
}

template <class T>
void Step<T>::copy_dz(const Pass<T>& pass, const Block<T>& block, index_t i) const {
  if (!program_.gives_z(i)) return;
  const Operation& op = program_.operation(i);
  const MatrixView<T>& dz = (*pass.dz)[static_cast<std::size_t>(op.layer)];
  copy_rows<T>(dz.slice(block.first_of_batch, block.rows()), block.output_gradient(op));
}

template <class T>
Block<T> Step<T>::block_in(const Pass<T>& pass, Workspace<T>& workspace, ConstMatrixView<T> x,
                           index_t first, index_t first_of_batch, index_t b) {
  const PackedWeights<T>* packed = packed_ ? &*packed_ : nullptr;
  Block<T> block{&memory_.places,  workspace.memory(),
                 workspace.rows(), first,
                 first_of_batch,   x,
                 pass.parameters,  packed,
                 pass.draws};
  block.arithmetic = plan_.arithmetic();
  block.sums_of_a_block = program_.sums_of_a_block();
  block.sums = memory_.sums.data() + b * block.sums_of_a_block;
  if (plan_.joins()) block.batch_sums = memory_.batch_sums.data();
  if (plan_.blocks_take_long()) block.interrupt = pass.interrupt;
  if (pass.dx.data != nullptr) block.dx = pass.dx.slice(first_of_batch, x.rows);
  return block;
}

// All rows at once, for sums over blocks.
template <class T>
Block<T> Step<T>::batch_of(const Pass<T>& pass, const RowCuts& cuts) {
  ConstMatrixView<T> x;
  x.rows = cuts.rows;
  Block<T> batch = block_in(pass, memory_.workspace(0), x, 0, 0, 0);
  batch.blocks = cuts.blocks;
  return batch;
}

// ---- gradients of parameters --------------------------------------------------------------------

template <class T>
void Step<T>::collect(const Pass<T>& pass, const RowCuts& cuts, index_t segment,
                      const Stretch& stretch) {
  if (cuts.gradients_by_block) {
    return add_blocks(program_, cuts, segment, stretch, memory_, pass.gradient);
  }
  const Range rows = cuts.rows_in(segment);
  Workspace<T>& workspace = memory_.workspace(0);
  const ConstMatrixView<T> x = workspace.room().filled(pass.batch, rows, 0).x;
  Block<T> block = block_in(pass, workspace, x, 0, rows.first, 0);
  block.blocks = cuts.blocks_in(segment).count;
  const Operation& op = program_.operation(stretch.operation);
  const index_t parts = plan_.parts_of(stretch, rows.count);
  for (index_t part = 0; part < parts; ++part) {
    if (parts > 1 && requested(pass.interrupt)) return;
    const Range range = part_of(stretch, part, parts).rows;
    functions_of<T>(op).gradient(op, block, range, pass.gradient, segment > 0);
  }
}

template <class T>
void Step<T>::collect_last(const Pass<T>& pass, const RowCuts& cuts, const Stretch& stretch) {
  collect(pass, cuts, cuts.segments() - 1, stretch);
  const Operation& op = program_.operation(stretch.operation);
  if (!traits_of(op).finishes(op)) return;
  const Block<T> block = block_in(pass, memory_.workspace(0), {}, 0, 0, 0);
  functions_of<T>(op).finish(op, block, stretch.rows, pass.gradient);
}

template class Step<float>;
template class Step<double>;

}  // namespace pymlp

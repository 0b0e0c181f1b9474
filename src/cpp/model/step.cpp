#include "model/step.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/team.hpp"
#include "kernels/table.hpp"
#include "ops/table.hpp"

namespace pymlp {

namespace {

Keep kept_for(Purpose purpose, const Program& program) {
  const bool drops = purpose == Purpose::training && program.has_dropout();
  return drops ? Keep::for_training : Keep::for_backward;
}

}  // namespace

template <class T>
Step<T>::Step(const Program& program, const Loss& loss, Purpose purpose, index_t capacity,
              int threads)
    : program_(program),
      loss_(loss),
      plan_(program, purpose, capacity, sizeof(T), threads, loss.custom != nullptr),
      places_(place<T>(program, kept_for(purpose, program))),
      norms_(program.widest()),
      penalties_(plan_.stretches().size()),
      squares_(plan_.stretches().size()) {
  if (purpose != Purpose::loss) {
    packed_.emplace(program.operations(), purpose == Purpose::pull_back);
  }
}

template <class T>
void Step<T>::reserve(const Batch<T>& batch) {
  const RowCuts cuts = plan_.cut(batch.size());
  const bool by_block = cuts.gradients_by_block;
  const index_t rows = by_block ? cuts.largest_block() : cuts.largest_segment();
  const auto workers = static_cast<std::size_t>(by_block ? cuts.threads : 1);
  if (workspaces_.size() < workers) workspaces_.resize(workers);
  for (std::size_t w = 0; w < workers; ++w) {
    workspaces_[w].reserve(places_, rows);
    if (batch.order != nullptr) workspaces_[w].room().reserve(batch.source, rows);
  }
  if (losses_.size() < cuts.largest_segment()) {
    losses_ = Buffer<T>(cuts.largest_segment());
    scales_ = Buffer<T>(cuts.largest_segment());
  }
  const index_t beside = cuts.blocks_of_a_segment - (cuts.segments() == 1 ? 1 : 0);
  const index_t gradients = by_block ? beside * program_.n_parameters() : 0;
  if (block_gradients_.size() < gradients) block_gradients_ = Buffer<T>(gradients);
}

// ---- a batch ------------------------------------------------------------------------------------

template <class T>
BatchLoss Step<T>::run(const Pass<T>& pass) {
  const RowCuts cuts = plan_.cut(pass.batch.size());
  const BatchLoss loss = run_segments(pass, cuts);
  if (pass.gradient == nullptr || requested(pass.interrupt)) return loss;
  for_stretches(cuts, [&](std::size_t, const Stretch& stretch) {
    collect(pass, cuts, cuts.segments() - 1, stretch);
  });
  return loss;
}

template <class T>
BatchLoss Step<T>::update(const Pass<T>& pass, T* parameters, Optimizer<T>& optimizer,
                          const Regularization& options) {
  const RowCuts cuts = plan_.cut(pass.batch.size());
  BatchLoss loss = run_segments(pass, cuts);
  if (requested(pass.interrupt) || !std::isfinite(loss.sum)) return loss;
  const auto finish_gradient = [&](std::size_t number, const Stretch& stretch) {
    collect(pass, cuts, cuts.segments() - 1, stretch);
    penalties_[number] = penalize(program_, stretch, options, parameters, pass.gradient);
  };
  // The norm is known only when every stretch's gradient is. A step that takes long is done this
  // way too: it can be left before anything is written.
  const bool whole = options.clip_norm > 0.0 || plan_.takes_long(cuts.rows);
  if (whole) {
    for_stretches(cuts, [&](std::size_t number, const Stretch& stretch) {
      if (requested(pass.interrupt)) return;
      finish_gradient(number, stretch);
      const Range range = parameters_of(program_, stretch);
      squares_[number] = kernels<T>().sum_of_squares(pass.gradient + range.first, range.count);
    });
    if (requested(pass.interrupt)) return loss;
  }
  const double square = std::accumulate(squares_.begin(), squares_.end(), 0.0);
  optimizer.begin_step({clipped_share(std::sqrt(square), options), options.clip_value});
  for_stretches(cuts, [&](std::size_t number, const Stretch& stretch) {
    // Updated while its gradient is still in the cache.
    if (!whole) finish_gradient(number, stretch);
    const Range range = parameters_of(program_, stretch);
    optimizer.update(parameters, pass.gradient, range.first, range.count);
    packed_->refresh(parameters, stretch);
  });
  if (options.max_norm > 0.0) {
    limit_norms(program_, options, parameters, norms_.data());
    parameters_changed();
  }
  loss.penalty = loss.weight * std::accumulate(penalties_.begin(), penalties_.end(), 0.0);
  return loss;
}

template <class T>
BatchLoss Step<T>::run_segments(const Pass<T>& pass, const RowCuts& cuts) {
  reserve(pass.batch);
  if (packed_ && !packed_is_current_) pack(pass.parameters);
  BatchLoss result{0.0, pass.batch.total_weight()};
  const double share = result.weight > 0.0 ? 1.0 / result.weight : 0.0;
  for (index_t segment = 0;; ++segment) {
    const Range blocks = cuts.blocks_in(segment);
    parallel_for(blocks.count, cuts.threads, [&](index_t b, index_t worker) {
      if (!requested(pass.interrupt)) {
        run_block(pass, cuts, segment, blocks.first + b, worker, share);
      }
    });
    result.sum += weighted_sum(pass.batch, cuts.rows_in(segment));
    if (segment + 1 == cuts.segments() || requested(pass.interrupt)) return result;
    if (pass.gradient == nullptr) continue;
    for_stretches(cuts, [&](std::size_t, const Stretch& stretch) {
      collect(pass, cuts, segment, stretch);
    });
  }
}

// ---- a block of rows ----------------------------------------------------------------------------

template <class T>
void Step<T>::run_block(const Pass<T>& pass, const RowCuts& cuts, index_t segment, index_t b,
                        index_t worker, double share) {
  const Range rows = cuts.block(b);
  const index_t at = rows.first - cuts.rows_in(segment).first;
  const bool by_block = cuts.gradients_by_block;
  Workspace<T>& workspace = workspaces_[static_cast<std::size_t>(by_block ? worker : 0)];
  const index_t first = by_block ? 0 : at;
  const Samples<T> samples = workspace.room().fill(pass.batch, rows, first);
  const Block<T> block = block_in(pass, workspace, samples.x, first, rows.first);
  set_scales(pass.batch, rows, at, share);
  const index_t n = program_.n_operations() - (from_logits(pass) ? 1 : 0);
  for (index_t i = 0; i < n; ++i) {
    functions_of<T>(program_.operation(i)).forward(program_.operation(i), block);
  }
  begin_backward(pass, block, samples, at);
  if (plan_.purpose() == Purpose::loss) return;
  for (index_t i = n - 1; i >= 0; --i) {
    functions_of<T>(program_.operation(i)).backward(program_.operation(i), block);
  }
  if (pass.dz != nullptr) copy_dz(pass, block);
  if (by_block) sum_by_block(pass, cuts, segment, b, block);
}

// What each row counts in the mean.
template <class T>
void Step<T>::set_scales(const Batch<T>& batch, Range rows, index_t at, double share) {
  const T* weights = batch.source.weights();
  if (weights == nullptr) {
    std::fill_n(scales_.data() + at, rows.count, static_cast<T>(share));
    return;
  }
  for (index_t i = 0; i < rows.count; ++i) {
    const auto weight = static_cast<double>(weights[batch.row(rows.first + i)]);
    scales_[at + i] = static_cast<T>(weight * share);
  }
}

// The loss may be computed from z of the last layer: its activation is then left out both ways.
template <class T>
bool Step<T>::from_logits(const Pass<T>& pass) const {
  return pass.dy.data == nullptr && computed_from_logits(loss_, program_.output());
}

// The losses, and the gradient at the outputs; the gradient alone where it was given.
template <class T>
void Step<T>::begin_backward(const Pass<T>& pass, const Block<T>& block, const Samples<T>& samples,
                             index_t at) {
  const Operation& output = program_.operations().back();
  const MatrixView<T> gradient = block.output_gradient(output);
  if (pass.dy.data == nullptr) {
    return loss_and_gradient<T>(losses_.data() + at, gradient, block.input(output),
                                block.output(output), samples.targets, scales_.data() + at, loss_,
                                output.activation);
  }
  for (index_t i = 0; i < block.rows(); ++i) {
    std::copy_n(pass.dy.row(block.first_of_batch + i), pass.dy.cols, gradient.row(i));
  }
}

template <class T>
void Step<T>::copy_dz(const Pass<T>& pass, const Block<T>& block) const {
  for (index_t l = 0; l < program_.n_layers(); ++l) {
    const MatrixView<T> from = block.output_gradient(program_.dense(l));
    const MatrixView<T>& to = (*pass.dz)[static_cast<std::size_t>(l)];
    for (index_t i = 0; i < from.rows; ++i) {
      std::copy_n(from.row(i), from.cols, to.row(block.first_of_batch + i));
    }
  }
}

template <class T>
Block<T> Step<T>::block_in(const Pass<T>& pass, Workspace<T>& workspace, ConstMatrixView<T> x,
                           index_t first, index_t first_of_batch) {
  const PackedWeights<T>* packed = packed_ ? &*packed_ : nullptr;
  Block<T> block{&places_,       workspace.memory(), workspace.rows(), first, first_of_batch, x,
                 pass.parameters, packed,            pass.draws};
  if (pass.dx.data != nullptr) block.dx = pass.dx.slice(first_of_batch, x.rows);
  return block;
}

// Of the losses of a segment.
template <class T>
double Step<T>::weighted_sum(const Batch<T>& batch, Range rows) const {
  const T* weights = batch.source.weights();
  if (weights == nullptr) return kernels<T>().sum(losses_.data(), rows.count);
  double sum = 0.0;
  for (index_t i = 0; i < rows.count; ++i) {
    const auto weight = static_cast<double>(weights[batch.row(rows.first + i)]);
    // A sample of weight 0 is left out, whatever its loss.
    if (weight > 0.0) sum += weight * static_cast<double>(losses_[i]);
  }
  return sum;
}

// ---- gradients of parameters --------------------------------------------------------------------

template <class T>
template <class Task>
void Step<T>::for_stretches(const RowCuts& cuts, Task&& task) {
  parallel_for(std::ssize(plan_.stretches()), cuts.threads_for_stretches,
               [&](index_t s, index_t) {
                 const auto number = static_cast<std::size_t>(s);
                 task(number, plan_.stretches()[number]);
               });
}

// The first block's gradient has its place already: the arena that all are added to.
template <class T>
void Step<T>::sum_by_block(const Pass<T>& pass, const RowCuts& cuts, index_t segment, index_t b,
                           const Block<T>& block) {
  const index_t beside = b - cuts.blocks_in(segment).first - (segment == 0 ? 1 : 0);
  T* arena = b == 0 ? pass.gradient : block_gradients_.data() + beside * program_.n_parameters();
  for (const Operation& op : program_.operations()) {
    const auto gradient = functions_of<T>(op).gradient;
    if (gradient != nullptr) {
      gradient(op, block, {0, traits_of(op).parameter_rows(op)}, arena, false);
    }
  }
}

template <class T>
void Step<T>::collect(const Pass<T>& pass, const RowCuts& cuts, index_t segment,
                      const Stretch& stretch) {
  if (cuts.gradients_by_block) {
    const Range range = parameters_of(program_, stretch);
    const index_t addends = cuts.blocks_in(segment).count - (segment == 0 ? 1 : 0);
    return kernels<T>().add_arenas(pass.gradient + range.first,
                                   block_gradients_.data() + range.first, addends,
                                   program_.n_parameters(), range.count);
  }
  const Range rows = cuts.rows_in(segment);
  Workspace<T>& workspace = workspaces_.front();
  const ConstMatrixView<T> x = workspace.room().filled(pass.batch, rows, 0).x;
  const Operation& op = program_.operation(stretch.operation);
  functions_of<T>(op).gradient(op, block_in(pass, workspace, x, 0, rows.first), stretch.rows,
                               pass.gradient, segment > 0);
}

template <class T>
void Step<T>::pack(const T* parameters) {
  parallel_for(std::ssize(plan_.stretches()), plan_.threads_for_packing(),
               [&](index_t s, index_t) {
                 packed_->refresh(parameters, plan_.stretches()[static_cast<std::size_t>(s)]);
               });
  packed_is_current_ = true;
}

template class Step<float>;
template class Step<double>;

}  // namespace pymlp

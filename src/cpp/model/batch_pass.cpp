#include "model/batch_pass.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/team.hpp"
#include "kernels/panels.hpp"
#include "kernels/table.hpp"

namespace pymlp {

namespace {

template <class T>
void copy_row(T* to, const T* from, index_t n) {
  std::copy_n(from, n, to);
}

bool stopped(Pulse* pulse) { return pulse != nullptr && pulse->stopped(); }

}  // namespace

template <class T>
BatchPass<T>::BatchPass(const Layout& layout, const Loss& loss, index_t capacity, int threads,
                        Dropout dropout)
    : layout_(layout),
      loss_(loss),
      threads_(threads),
      workspace_(layout, capacity, dropout),
      blocks_(weight_blocks(layout, capacity, sizeof(T))),
      penalties_(blocks_.size()),
      squares_(blocks_.size()),
      losses_(capacity),
      scale_(capacity),
      column_scales_(layout.widest()) {}

template <class T>
void BatchPass<T>::reserve_gather(const Dataset<T>& data) {
  gathered_x_ = Buffer<T>(capacity() * padded_stride<T>(layout_.n_inputs()));
  if (data.targets.labels != nullptr) {
    gathered_labels_ = Buffer<std::int32_t>(capacity());
  } else {
    gathered_values_ = Buffer<T>(capacity() * layout_.n_outputs());
  }
}

template <class T>
Dataset<T> BatchPass<T>::consecutive(const Batch<T>& batch) {
  const Dataset<T>& data = batch.data;
  if (batch.order == nullptr) {
    return {data.x.slice(batch.first, batch.count), data.targets.slice(batch.first, batch.count)};
  }
  const index_t m = batch.count;
  const index_t n_in = layout_.n_inputs();
  const ConstMatrixView<T> x(gathered_x_.data(), m, n_in, padded_stride<T>(n_in));
  if (data.targets.labels != nullptr) return {x, {gathered_labels_.data(), {}}};
  return {x, {nullptr, gathered_values_.matrix(m, layout_.n_outputs())}};
}

template <class T>
void BatchPass<T>::gather(const Batch<T>& batch, Range rows) {
  const Dataset<T>& data = batch.data;
  const index_t n_in = layout_.n_inputs();
  const index_t stride = padded_stride<T>(n_in);
  const index_t n_out = layout_.n_outputs();
  for (index_t i = rows.first; i < rows.first + rows.count; ++i) {
    const index_t sample = batch.sample(i);
    copy_row(gathered_x_.data() + i * stride, data.x.row(sample), n_in);
    if (data.targets.labels != nullptr) {
      gathered_labels_[i] = data.targets.labels[sample];
    } else {
      copy_row(gathered_values_.data() + i * n_out, data.targets.values.row(sample), n_out);
    }
  }
}

// Fills scale_ with each sample's share of the weighted mean; returns the sum of the weights.
template <class T>
double BatchPass<T>::weigh(const Batch<T>& batch) {
  if (batch.data.sample_weight == nullptr) {
    const auto count = static_cast<double>(batch.count);
    if (equal_scales_ != batch.count) {
      std::fill_n(scale_.data(), batch.count, static_cast<T>(1.0 / count));
      equal_scales_ = batch.count;
    }
    return count;
  }
  equal_scales_ = 0;
  double total = 0.0;
  for (index_t i = 0; i < batch.count; ++i) total += static_cast<double>(batch.weight(i));
  const double share = total > 0.0 ? 1.0 / total : 0.0;
  for (index_t i = 0; i < batch.count; ++i) {
    scale_[i] = static_cast<T>(static_cast<double>(batch.weight(i)) * share);
  }
  return total;
}

template <class T>
int BatchPass<T>::threads_for_rows(index_t rows) const {
  // Somebody else's functions are called on the caller's thread: their exceptions pass through
  // here.
  if (layout_.has_custom() || loss_.custom != nullptr) return 1;
  return threads_for(static_cast<double>(rows) * layout_.forward_operations(), threads_);
}

// Long enough for somebody to wait for the end of it: more than about 50 ms of one core.
template <class T>
bool BatchPass<T>::takes_long(index_t rows) const {
  return 3.0 * static_cast<double>(rows) * layout_.forward_operations() > 5e9;
}

template <class T>
BatchLoss BatchPass<T>::run_rows(const Propagation<T>& pass, const Dataset<T>& data,
                                 const Batch<T>& batch, Direction direction, T* gradient,
                                 Pulse* pulse) {
  BatchLoss result{0.0, weigh(batch)};
  const RowBlocks blocks(batch.count, layout_.forward_operations());
  const bool by_block = gradient != nullptr && sums_by_row_block(layout_, batch.count);
  if (by_block) reserve_block_gradients(blocks.count());
  const bool output_activation = !computed_from_logits(loss_, layout_.output());
  parallel_for(blocks.count(), threads_for_rows(batch.count), [&](index_t block) {
    if (stopped(pulse)) return;
    const Range rows = blocks[block];
    if (batch.order != nullptr) gather(batch, rows);
    pass.forward(rows, output_activation);
    pass.loss(loss_, data.targets, scale_.data(), losses_.data(), rows);
    if (direction == Direction::forward_and_backward) pass.backward({}, rows);
    if (by_block) block_gradient(pass, gradient, block, rows);
  });
  result.sum = weighted_sum(batch);
  return result;
}

// Taken by the first batch that needs it; the first block's gradient has its place already.
template <class T>
void BatchPass<T>::reserve_block_gradients(index_t blocks) {
  const index_t size = (blocks - 1) * layout_.n_parameters();
  if (block_gradients_.size() < size) block_gradients_ = Buffer<T>(size);
}

template <class T>
void BatchPass<T>::block_gradient(const Propagation<T>& pass, T* gradient, index_t number,
                                  Range rows) {
  T* arena =
      number == 0 ? gradient : block_gradients_.data() + (number - 1) * layout_.n_parameters();
  for (index_t l = 0; l < layout_.n_layers(); ++l) {
    pass.parameter_gradient(arena, {l, {0, layout_.layer(l).n_in}}, rows);
  }
}

template <class T>
void BatchPass<T>::collect_gradient(const Propagation<T>& pass, T* gradient,
                                    const WeightBlock& block) const {
  const index_t m = pass.x.rows;
  if (!sums_by_row_block(layout_, m)) return pass.parameter_gradient(gradient, block, {0, m});
  const Range range = parameters_of(layout_, block);
  const index_t others = RowBlocks(m, layout_.forward_operations()).count() - 1;
  kernels<T>().add_arenas(gradient + range.first, block_gradients_.data() + range.first, others,
                          layout_.n_parameters(), range.count);
}

template <class T>
double BatchPass<T>::weighted_sum(const Batch<T>& batch) const {
  if (batch.data.sample_weight == nullptr) return kernels<T>().sum(losses_.data(), batch.count);
  double sum = 0.0;
  for (index_t i = 0; i < batch.count; ++i) {
    const auto weight = static_cast<double>(batch.weight(i));
    // A sample of weight 0 is left out, whatever its loss.
    if (weight > 0.0) sum += weight * static_cast<double>(losses_[i]);
  }
  return sum;
}

template <class T>
BatchLoss BatchPass<T>::loss(const T* parameters, const Batch<T>& batch, Pulse* pulse) {
  const Dataset<T> data = consecutive(batch);
  const Propagation<T> pass{layout_, parameters, data.x, workspace_.traces(batch.count)};
  return run_rows(pass, data, batch, Direction::forward, nullptr, pulse);
}

// task(number of the block, block) for every block of weight rows.
template <class T>
template <class Task>
void BatchPass<T>::for_weight_blocks(index_t rows, Task&& task) {
  // Adding up and updating is little work, where there are few parameters.
  constexpr double kOperations = 100.0;
  const int threads =
      sums_by_row_block(layout_, rows)
          ? threads_for(kOperations * static_cast<double>(layout_.n_parameters()), threads_)
          : threads_for_rows(rows);
  parallel_for(std::ssize(blocks_), threads, [&](index_t b) {
    const auto number = static_cast<std::size_t>(b);
    task(number, blocks_[number]);
  });
}

template <class T>
BatchLoss BatchPass<T>::gradient(const T* parameters, const Batch<T>& batch, T* gradient) {
  const Dataset<T> data = consecutive(batch);
  parameters_changed();
  const Propagation<T> pass{layout_, parameters, data.x, workspace_.traces(batch.count),
                            &current_packed(parameters)};
  const BatchLoss result =
      run_rows(pass, data, batch, Direction::forward_and_backward, gradient, nullptr);
  for_weight_blocks(batch.count, [&](std::size_t, const WeightBlock& block) {
    collect_gradient(pass, gradient, block);
  });
  return result;
}

template <class T>
BatchLoss BatchPass<T>::step(T* parameters, const Batch<T>& batch, T* gradient,
                             Optimizer<T>& optimizer, const Regularization& regularization,
                             const std::optional<DropoutDraws>& dropout, Pulse* pulse) {
  const Dataset<T> data = consecutive(batch);
  const Propagation<T> pass{
      layout_, parameters, data.x, workspace_.traces(batch.count), &current_packed(parameters),
      dropout};
  BatchLoss result = run_rows(pass, data, batch, Direction::forward_and_backward, gradient, pulse);
  if (stopped(pulse) || !std::isfinite(result.sum)) return result;
  if (regularization.clip_norm > 0.0 || takes_long(batch.count)) {
    if (!whole_gradient_then_update(pass, parameters, gradient, optimizer, regularization, pulse)) {
      return result;
    }
  } else {
    gradient_then_update(pass, parameters, gradient, optimizer, regularization);
  }
  if (regularization.max_norm > 0.0) {
    limit_norms(parameters, regularization.max_norm);
    parameters_changed();
  }
  if (regularization.has_penalty()) {
    result.sum += result.weight * std::accumulate(penalties_.begin(), penalties_.end(), 0.0);
  }
  return result;
}

template <class T>
void BatchPass<T>::pack_all(const T* parameters, PackedWeights<T>& packed) const {
  parallel_for(
      std::ssize(blocks_), threads_for(layout_.forward_operations(), threads_),
      [&](index_t b) { packed.refresh(parameters, blocks_[static_cast<std::size_t>(b)]); });
}

template <class T>
const PackedWeights<T>& BatchPass<T>::current_packed(const T* parameters) {
  if (!packed_) packed_.emplace(layout_, 1);
  if (!packed_is_current_) pack_all(parameters, *packed_);
  packed_is_current_ = true;
  return *packed_;
}

template <class T>
void BatchPass<T>::update(Optimizer<T>& optimizer, T* parameters, const T* gradient,
                          const WeightBlock& block) {
  const Range range = parameters_of(layout_, block);
  optimizer.update(parameters, gradient, range.first, range.count);
  packed_->refresh(parameters, block);
}

// Each block is updated while its gradient is still in the cache.
template <class T>
void BatchPass<T>::gradient_then_update(const Propagation<T>& pass, T* parameters, T* gradient,
                                        Optimizer<T>& optimizer,
                                        const Regularization& regularization) {
  optimizer.begin_step({1.0, regularization.clip_value});
  for_weight_blocks(pass.x.rows, [&](std::size_t number, const WeightBlock& block) {
    collect_gradient(pass, gradient, block);
    penalties_[number] = penalize(block, parameters, gradient, regularization);
    update(optimizer, parameters, gradient, block);
  });
}

// The norm is known only when every block's gradient is. A step that takes long is done this way
// too: nothing is written until all gradients are there, so it can be left before that.
template <class T>
bool BatchPass<T>::whole_gradient_then_update(const Propagation<T>& pass, T* parameters,
                                              T* gradient, Optimizer<T>& optimizer,
                                              const Regularization& regularization, Pulse* pulse) {
  for_weight_blocks(pass.x.rows, [&](std::size_t number, const WeightBlock& block) {
    if (stopped(pulse)) return;
    collect_gradient(pass, gradient, block);
    penalties_[number] = penalize(block, parameters, gradient, regularization);
    const Range range = parameters_of(layout_, block);
    squares_[number] = kernels<T>().sum_of_squares(gradient + range.first, range.count);
  });
  if (stopped(pulse)) return false;
  const double norm = std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
  const double limit = regularization.clip_norm;
  const double scale = limit > 0.0 ? std::min(1.0, limit / (norm + 1e-6)) : 1.0;
  optimizer.begin_step({scale, regularization.clip_value});
  for_weight_blocks(pass.x.rows, [&](std::size_t, const WeightBlock& block) {
    update(optimizer, parameters, gradient, block);
  });
  return true;
}

template <class T>
double BatchPass<T>::penalize(const WeightBlock& block, const T* parameters, T* gradient,
                              const Regularization& regularization) const {
  if (!regularization.has_penalty()) return 0.0;
  const Range weights = weights_of(layout_, block);
  const T* w = parameters + weights.first;
  const auto [l1, l2] = std::pair(regularization.l1, regularization.l2);
  kernels<T>().add_penalty(gradient + weights.first, w, weights.count, static_cast<T>(l1),
                           static_cast<T>(l2));
  return l1 * kernels<T>().sum_of_magnitudes(w, weights.count) +
         0.5 * l2 * kernels<T>().sum_of_squares(w, weights.count);
}

template <class T>
void BatchPass<T>::limit_norms(T* parameters, double limit) {
  T* scales = column_scales_.data();
  for (index_t l = 0; l < layout_.n_layers(); ++l) {
    kernels<T>().limit_column_norms(layout_.weights(parameters, l), static_cast<T>(limit), scales);
  }
}

template <class T>
void BatchPass<T>::layer_gradients(const T* parameters, const Batch<T>& batch,
                                   const std::vector<MatrixView<T>>& dz) {
  const Dataset<T> data = consecutive(batch);
  Traces<T> traces = workspace_.traces(batch.count);
  traces.dz = dz;
  parameters_changed();
  const Propagation<T> pass{layout_, parameters, data.x, traces, &current_packed(parameters)};
  run_rows(pass, data, batch, Direction::forward_and_backward, nullptr, nullptr);
}

template <class T>
void BatchPass<T>::pull_back(const T* parameters, ConstMatrixView<T> x, ConstMatrixView<T> dy,
                             T* gradient, MatrixView<T> dx) {
  const Traces<T>& traces = workspace_.traces(x.rows);
  PackedWeights<T> packed(layout_, 0);
  pack_all(parameters, packed);
  const Propagation<T> pass{layout_, parameters, x, traces, &packed};
  const RowBlocks row_blocks(x.rows, layout_.forward_operations());
  parallel_for(row_blocks.count(), threads_for_rows(x.rows), [&](index_t block) {
    const Range rows = row_blocks[block];
    pass.forward(rows, true);
    for (index_t i = rows.first; i < rows.first + rows.count; ++i) {
      copy_row(traces.dz.back().row(i), dy.row(i), dy.cols);
    }
    pass.output_backward(rows);
    pass.backward(dx, rows);
  });
  for_weight_blocks(x.rows, [&](std::size_t, const WeightBlock& block) {
    pass.parameter_gradient(gradient, block, {0, x.rows});
  });
}

template <class T>
BatchLoss dataset_loss(BatchPass<T>& pass, const T* parameters, const Dataset<T>& data,
                       Pulse* pulse) {
  BatchLoss result;
  for (index_t first = 0; first < data.size() && !stopped(pulse); first += pass.capacity()) {
    const index_t count = std::min(pass.capacity(), data.size() - first);
    result += pass.loss(parameters, {data, nullptr, first, count}, pulse);
  }
  return result;
}

template class BatchPass<float>;
template class BatchPass<double>;
template BatchLoss dataset_loss(BatchPass<float>&, const float*, const Dataset<float>&, Pulse*);
template BatchLoss dataset_loss(BatchPass<double>&, const double*, const Dataset<double>&, Pulse*);

}  // namespace pymlp

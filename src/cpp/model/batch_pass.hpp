// BatchPass: loss, gradient or a whole training step of one batch, in memory sized once.
#pragma once

#include "base/buffer.hpp"
#include "model/dataset.hpp"
#include "model/optimizer.hpp"
#include "model/propagation.hpp"
#include "model/pulse.hpp"
#include "model/regularization.hpp"

namespace pymlp {

struct BatchLoss {
  double sum = 0.0;      // of weight_i loss_i
  double weight = 0.0;   // of weight_i
  double penalty = 0.0;  // weight times what is added to the mean loss

  double mean() const { return weight > 0.0 ? sum / weight : 0.0; }
  double mean_penalty() const { return weight > 0.0 ? penalty / weight : 0.0; }
  double total() const { return weight > 0.0 ? (sum + penalty) / weight : 0.0; }
  BatchLoss& operator+=(const BatchLoss& other) {
    sum += other.sum;
    weight += other.weight;
    penalty += other.penalty;
    return *this;
  }
};

template <class T>
class BatchPass {
 public:
  // For batches of up to `capacity` samples. `layout` must outlive the pass. Dropout is for
  // training.
  BatchPass(const Layout& layout, const Loss& loss, index_t capacity, int threads,
            Dropout dropout = Dropout::off);

  // Room for rows of `data` gathered in an order; needed before a batch that has one.
  void reserve_gather(const Dataset<T>& data);

  index_t capacity() const { return workspace_.capacity(); }

  BatchLoss loss(const T* parameters, const Batch<T>& batch, Pulse* pulse = nullptr);

  // The gradient of the batch's mean loss, into an arena.
  BatchLoss gradient(const T* parameters, const Batch<T>& batch, T* gradient);

  // One step of the optimiser, the gradient left in its arena. Where the loss is not finite, or the
  // pulse stopped the work, parameters and optimiser stay as they were.
  BatchLoss step(T* parameters, const Batch<T>& batch, T* gradient, Optimizer<T>& optimizer,
                 const Regularization& regularization, const std::optional<DropoutDraws>& dropout,
                 Pulse* pulse);

  void set_threads(int threads) { threads_ = threads; }
  void set_loss(const Loss& loss) { loss_ = loss; }

  // Somebody else wrote parameters since the last step; the steps themselves need not say so.
  void parameters_changed() { packed_is_current_ = false; }

  // dz of every layer for the batch's mean loss, into matrices of the batch's size.
  void layer_gradients(const T* parameters, const Batch<T>& batch,
                       const std::vector<MatrixView<T>>& dz);

  // Pulls dy = dJ/dY (m, n_out) back to the parameters and the inputs: dx (m, n_in).
  void pull_back(const T* parameters, ConstMatrixView<T> x, ConstMatrixView<T> dy, T* gradient,
                 MatrixView<T> dx);

 private:
  enum class Direction { forward, forward_and_backward };

  // The batch as consecutive rows: the user's own where it has no order, else room to gather them.
  Dataset<T> consecutive(const Batch<T>& batch);
  void gather(const Batch<T>& batch, Range rows);
  double weigh(const Batch<T>& batch);
  double weighted_sum(const Batch<T>& batch) const;
  BatchLoss run_rows(const Propagation<T>& pass, const Dataset<T>& data, const Batch<T>& batch,
                     Direction direction, T* gradient, Pulse* pulse);
  void reserve_block_gradients(index_t blocks);
  // The gradient of one block of rows, into an arena of its own.
  void block_gradient(const Propagation<T>& pass, T* gradient, index_t number, Range rows);
  // The gradient of one block of weights over the whole batch.
  void collect_gradient(const Propagation<T>& pass, T* gradient, const WeightBlock& block) const;
  template <class Task>
  void for_weight_blocks(index_t rows, Task&& task);
  // Adds the penalty's gradient to a block of the arena; returns the penalty.
  double penalize(const WeightBlock& block, const T* parameters, T* gradient,
                  const Regularization& regularization) const;
  void pack_all(const T* parameters, PackedWeights<T>& packed) const;
  // Everything that is kept beside the parameters follows them.
  const PackedWeights<T>& current_packed(const T* parameters);
  void update(Optimizer<T>& optimizer, T* parameters, const T* gradient, const WeightBlock& block);
  void gradient_then_update(const Propagation<T>& pass, T* parameters, T* gradient,
                            Optimizer<T>& optimizer, const Regularization& regularization);
  // False where the pulse stopped it, before anything was written.
  bool whole_gradient_then_update(const Propagation<T>& pass, T* parameters, T* gradient,
                                  Optimizer<T>& optimizer, const Regularization& regularization,
                                  Pulse* pulse);
  void limit_norms(T* parameters, double limit);
  int threads_for_rows(index_t rows) const;
  bool takes_long(index_t rows) const;

  const Layout& layout_;
  Loss loss_;
  int threads_;
  Workspace<T> workspace_;
  std::optional<PackedWeights<T>> packed_;
  bool packed_is_current_ = false;
  Buffer<T> block_gradients_;  // of the row blocks behind the first
  std::vector<WeightBlock> blocks_;
  std::vector<double> penalties_;  // of each block
  std::vector<double> squares_;    // of each block's gradient
  Buffer<T> losses_;
  Buffer<T> scale_;
  index_t equal_scales_ = 0;  // scale_ holds the shares of this many samples that count the same
  Buffer<T> gathered_x_;
  Buffer<T> gathered_values_;
  Buffer<std::int32_t> gathered_labels_;
  Buffer<T> column_scales_;
};

// The mean loss of a whole dataset, as many samples at a time as the pass has room for.
template <class T>
BatchLoss dataset_loss(BatchPass<T>& pass, const T* parameters, const Dataset<T>& data,
                       Pulse* pulse = nullptr);

}  // namespace pymlp

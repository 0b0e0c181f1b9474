// BatchPass: loss, gradient or a whole training step of one batch, in memory sized once.
#pragma once

#include "base/buffer.hpp"
#include "model/dataset.hpp"
#include "model/optimizer.hpp"
#include "model/propagation.hpp"
#include "model/pulse.hpp"

namespace pymlp {

struct BatchLoss {
  double sum = 0.0;     // of weight_i loss_i
  double weight = 0.0;  // of weight_i

  double mean() const { return weight > 0.0 ? sum / weight : 0.0; }
  BatchLoss& operator+=(const BatchLoss& other) {
    sum += other.sum;
    weight += other.weight;
    return *this;
  }
};

template <class T>
class BatchPass {
 public:
  // For batches of up to `capacity` samples. `layout` must outlive the pass.
  BatchPass(const Layout& layout, LossKind loss, index_t capacity, int threads);

  // Room for rows of `data` gathered in an order; needed before a batch that has one.
  void reserve_gather(const Dataset<T>& data);

  index_t capacity() const { return workspace_.capacity(); }

  BatchLoss loss(const T* parameters, const Batch<T>& batch, Pulse* pulse = nullptr);

  // The gradient of the batch's mean loss, into an arena.
  BatchLoss gradient(const T* parameters, const Batch<T>& batch, T* gradient);

  // One step of the optimiser, the gradient left in its arena. Where the loss is not finite, or the
  // pulse stopped the work, parameters and optimiser stay as they were.
  BatchLoss step(T* parameters, const Batch<T>& batch, T* gradient, Optimizer<T>& optimizer,
                 Pulse* pulse);

  // Pulls dy = dJ/dY (m, n_out) back to the parameters and the inputs: dx (m, n_in).
  void pull_back(const T* parameters, ConstMatrixView<T> x, ConstMatrixView<T> dy, T* gradient,
                 MatrixView<T> dx);

 private:
  enum class Direction { forward, forward_and_backward };

  // The batch as consecutive rows: the user's own where it has no order, else room to gather them.
  Dataset<T> consecutive(const Batch<T>& batch);
  void gather(const Batch<T>& batch, Range rows);
  double weigh(const Batch<T>& batch);
  BatchLoss run_rows(const Propagation<T>& pass, const Dataset<T>& data, const Batch<T>& batch,
                     Direction direction, Pulse* pulse);
  int threads_for_rows(index_t rows) const;

  const Layout& layout_;
  LossKind loss_;
  int threads_;
  Workspace<T> workspace_;
  std::vector<WeightBlock> blocks_;
  Buffer<T> losses_;
  Buffer<T> scale_;
  Buffer<T> gathered_x_;
  Buffer<T> gathered_values_;
  Buffer<std::int32_t> gathered_labels_;
};

// The mean loss of a whole dataset, as many samples at a time as the pass has room for.
template <class T>
BatchLoss dataset_loss(BatchPass<T>& pass, const T* parameters, const Dataset<T>& data,
                       Pulse* pulse = nullptr);

}  // namespace pymlp

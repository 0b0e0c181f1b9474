// Step: one batch through a network, forward, loss and back, and the update: a plan carried out.
#pragma once

#include <optional>
#include <vector>

#include "base/buffer.hpp"
#include "kernels/loss.hpp"
#include "model/interrupt.hpp"
#include "model/optimizer.hpp"
#include "model/plan.hpp"
#include "model/regularization.hpp"
#include "model/source.hpp"
#include "model/workspace.hpp"
#include "ops/packed_weights.hpp"

namespace pymlp {

struct BatchLoss {
  double sum = 0.0;      // of weight_i loss_i
  double weight = 0.0;   // of weight_i
  double penalty = 0.0;  // times the weight

  double mean() const { return weight > 0.0 ? sum / weight : 0.0; }
  double mean_penalty() const { return weight > 0.0 ? penalty / weight : 0.0; }
  BatchLoss& operator+=(const BatchLoss& other) {
    sum += other.sum;
    weight += other.weight;
    penalty += other.penalty;
    return *this;
  }
};

// One batch, and what is wanted of it.
template <class T>
struct Pass {
  const T* parameters;
  Batch<T> batch;
  T* gradient = nullptr;  // of the parameters, an arena; null: forward only
  const std::vector<MatrixView<T>>* dz = nullptr;  // of each layer, matrices of the batch's size
  // Instead of a loss: the gradient at the outputs, and where that by the inputs goes.
  ConstMatrixView<T> dy{};
  MatrixView<T> dx{};
  const DropoutDraws* draws = nullptr;
  Interrupt* interrupt = nullptr;
};

template <class T>
class Step {
 public:
  // For batches of up to `capacity` rows. `program` must outlive the step.
  Step(const Program& program, const Loss& loss, Purpose purpose, index_t capacity, int threads);

  // Takes the memory that batches of this size need on all threads; afterwards their steps allocate
  // nothing.
  void reserve(const Batch<T>& batch);

  index_t capacity() const { return plan_.capacity(); }
  void set_threads(int threads) { plan_.set_threads(threads); }
  void set_loss(const Loss& loss) { loss_ = loss; }
  // Somebody else wrote parameters since the last step; the steps themselves need not say so.
  void parameters_changed() { packed_is_current_ = false; }

  // The loss of a batch, and its gradients where they are wanted.
  BatchLoss run(const Pass<T>& pass);

  // The same, and the optimiser's update of `parameters`, which the pass reads. Where the loss is
  // not finite, or an interrupt came, parameters and optimiser stay as they were.
  BatchLoss update(const Pass<T>& pass, T* parameters, Optimizer<T>& optimizer,
                   const Regularization& regularization);

 private:
  bool from_logits(const Pass<T>& pass) const;
  // Everything but the last segment's part of the gradients, which collect() has to bring.
  BatchLoss run_segments(const Pass<T>& pass, const RowCuts& cuts);
  void run_block(const Pass<T>& pass, const RowCuts& cuts, index_t segment, index_t b,
                 index_t worker, double share);
  void begin_backward(const Pass<T>& pass, const Block<T>& block, const Samples<T>& samples,
                      index_t at);
  void copy_dz(const Pass<T>& pass, const Block<T>& block) const;
  void sum_by_block(const Pass<T>& pass, const RowCuts& cuts, index_t segment, index_t b,
                    const Block<T>& block);
  // The gradients of a stretch, from all rows of a segment.
  void collect(const Pass<T>& pass, const RowCuts& cuts, index_t segment, const Stretch& stretch);
  // task(number of the stretch, stretch)
  template <class Task>
  void for_stretches(const RowCuts& cuts, Task&& task);
  Block<T> block_in(const Pass<T>& pass, Workspace<T>& workspace, ConstMatrixView<T> x,
                    index_t first, index_t first_of_batch);
  void set_scales(const Batch<T>& batch, Range rows, index_t at, double share);
  double weighted_sum(const Batch<T>& batch, Range rows) const;
  void pack(const T* parameters);

  const Program& program_;
  Loss loss_;
  Plan plan_;
  Placement places_;
  // One for each worker where gradients are summed by block, else one that holds a segment.
  std::vector<Workspace<T>> workspaces_;
  std::optional<PackedWeights<T>> packed_;
  bool packed_is_current_ = false;
  Buffer<T> block_gradients_;
  Buffer<T> losses_;  // of the rows of a segment
  Buffer<T> scales_;  // their shares of the mean
  Buffer<T> norms_;
  std::vector<double> penalties_;  // of each stretch
  std::vector<double> squares_;    // of each stretch's gradient
};

}  // namespace pymlp

// Step: one batch through a network, forward, loss and back, and the update: a plan carried out.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/interrupt.hpp"
#include "base/team.hpp"
#include "kernels/loss.hpp"
#include "model/batch_loss.hpp"
#include "model/gradient_point.hpp"
#include "model/optimizer.hpp"
#include "model/phase.hpp"
#include "model/plan.hpp"
#include "model/regularization.hpp"
#include "model/sample_lanes.hpp"
#include "model/step_memory.hpp"
#include "model/undo.hpp"
#include "model/write_guard.hpp"
#include "ops/packed_weights.hpp"

namespace pymlp {

// One batch, and what is wanted of it.
template <class T>
struct Pass {
  const T* parameters = nullptr;
  Batch<T> batch;
  T* gradient = nullptr;  // of the parameters, an arena; null: forward only
  const std::vector<MatrixView<T>>* dz = nullptr;  // of each layer, matrices of the batch's size
  // Instead of a loss: the gradient at the outputs, and where that by the inputs goes.
  ConstMatrixView<T> dy{};
  MatrixView<T> dx{};
  const DropoutDraws* draws = nullptr;
  bool update_last = false;  // nothing is updated before the penalty is known to be finite
  Interrupt* interrupt = nullptr;
};

// Whose parameters a step updates, and by what.
template <class T>
struct Learner {
  Network<T>& network;
  Optimizer<T>& optimizer;
  const Regularization& regularization;
  Undo<T>* undo = nullptr;            // undoes a step after which a parameter is not finite
  GradientPoint<T>* point = nullptr;  // what the pass reads; null: the network's parameters
};

struct StepResult {
  BatchLoss loss;
  bool updated;
};

template <class T>
class Step {
 public:
  // For batches of up to `capacity` rows. `program` must outlive the step.
  Step(const Program& program, const Loss& loss, Purpose purpose, index_t capacity, int threads,
       Mode mode = Mode::inference, Arithmetic arithmetic = Arithmetic::exact);

  // Takes the memory that batches of this size need on all threads; afterwards their steps allocate
  // nothing.
  void reserve(const Batch<T>& batch) { reserve(plan_.cut(batch.size()), batch); }

  index_t capacity() const { return plan_.capacity(); }
  // How many threads work on a batch of so many rows.
  int workers(index_t rows) const {
    const RowCuts cuts = plan_.cut(rows);
    return static_cast<int>(std::max(cuts.threads, cuts.threads_for_stretches));
  }
  Arithmetic arithmetic() const { return plan_.arithmetic(); }
  Mode mode() const { return plan_.mode(); }
  // Of the memory that it holds.
  index_t bytes() const;
  bool calls_user_functions() const { return plan_.calls_user_functions(); }
  void set_threads(int threads) {
    change([&] { plan_.set_threads(threads); });
  }
  void set_loss(const Loss& loss) {
    loss_ = loss;
    change([&] { plan_.set_user_loss(loss.custom != nullptr); });
  }
  // To be called where parameters were written other than by a step: packed weights are refreshed.
  void parameters_changed() { packed_is_current_ = false; }

  // The loss of a batch, and its gradients where they are wanted.
  BatchLoss run(const Pass<T>& pass);

  // The same, and the update of the network's parameters, which the pass reads; see update.cpp.
  // Where the loss is not finite, or an interrupt came, parameters and optimiser stay as they were.
  // Throws where a user function wrote the parameters meanwhile.
  StepResult update(const Pass<T>& pass, const Learner<T>& learner);

 private:
  // Cuts depend on the number of threads, and on whether the loss is the user's.
  template <class Change>
  void change(Change&& change_plan) {
    const std::pair before(plan_.threads(), plan_.lanes());
    change_plan();
    if (std::pair(plan_.threads(), plan_.lanes()) != before) cuts_ = {};
    if (!plan_.lanes()) need_packed();
  }
  void reserve(const RowCuts& cuts, const Batch<T>& batch);
  void need_packed();
  const RowCuts& cuts_of(const Batch<T>& batch);
  std::span<const Operation> operations_of(const Pass<T>& pass) const;
  // Everything but the last segment's part of the gradients, which collect_last() adds.
  BatchLoss run_segments(const Pass<T>& pass, const RowCuts& cuts);
  void run_phases(const Pass<T>& pass, const RowCuts& cuts, index_t segment, const Share& share);
  struct Part {
    const RowCuts& cuts;
    index_t segment;
    const Phase& phase;
    index_t operations;  // that are gone through
  };
  void run_block(const Pass<T>& pass, const Part& part, index_t b, index_t worker,
                 const Share& share);
  void run_lanes(const Pass<T>& pass, const Part& part, index_t b, index_t worker,
                 const Share& share);
  void go_forth(const Part& part, const Block<T>& block) const;
  void begin_backward(const Pass<T>& pass, const Block<T>& block, const Samples<T>& samples,
                      index_t at);
  void go_back(const Pass<T>& pass, const Part& part, const Block<T>& block) const;
  // Where gradients by z are wanted, and operation i gives z.
  void copy_dz(const Pass<T>& pass, const Block<T>& block, index_t i) const;
  // The gradients of a stretch, from all rows of a segment; from the last, they are then whole.
  void collect(const Pass<T>& pass, const RowCuts& cuts, index_t segment, const Stretch& stretch);
  void collect_last(const Pass<T>& pass, const RowCuts& cuts, const Stretch& stretch);
  void finish_gradient(const Pass<T>& pass, const RowCuts& cuts, const Regularization& options,
                       std::size_t number, const Stretch& stretch);
  double penalty_of(const BatchLoss& loss, const Regularization& options) const;
  void update_states(const Pass<T>& pass, const RowCuts& cuts, T* arena);
  bool statistics_are_finite(const Pass<T>& pass, const RowCuts& cuts);
  T* gradient_of(const Pass<T>& pass, const RowCuts& cuts, const ArenaRanges& ranges,
                 index_t worker);
  bool write(Pass<T> pass, const RowCuts& cuts, const Learner<T>& learner, const Clipping& clipping,
             bool gradients_too);
  // task(number of the stretch, stretch, its parts of the arena, worker)
  template <class Task>
  void for_stretches(const RowCuts& cuts, Task&& task) {
    parallel_for(std::ssize(plan_.stretches()), cuts.threads_for_stretches,
                 [&](index_t s, index_t worker) {
                   const auto number = static_cast<std::size_t>(s);
                   task(number, plan_.stretches()[number], plan_.ranges()[number], worker);
                 });
  }
  // The same in parts of each stretch.
  template <class Task>
  void for_parts_of_stretches(const RowCuts& cuts, index_t parts, Task&& task) {
    if (parts == 1) return for_stretches(cuts, task);
    parallel_for(std::ssize(plan_.stretches()) * parts, cuts.threads_for_stretches,
                 [&](index_t i, index_t worker) {
                   const auto number = static_cast<std::size_t>(i / parts);
                   const Stretch part = part_of(plan_.stretches()[number], i % parts, parts);
                   if (part.rows.count == 0) return;
                   task(number, part, parameters_of(program_, part), worker);
                 });
  }
  Block<T> batch_of(const Pass<T>& pass, const RowCuts& cuts);
  // `b`: its number in the segment, or that of its first part.
  Block<T> block_in(const Pass<T>& pass, Workspace<T>& workspace, ConstMatrixView<T> x,
                    index_t first, index_t first_of_batch, index_t b);

  const Program& program_;
  Loss loss_;
  Plan plan_;
  SampleLanes<T> lanes_;           // of no use where the plan says so
  std::array<RowCuts, 2> cuts_{};  // of the last batches
  bool gathers_ = false;           // these batches had an order
  StepMemory<T> memory_;
  std::optional<PackedWeights<T>> packed_;
  bool packed_is_current_ = false;
  WriteGuard<T> write_guard_;
  std::vector<double> penalties_;  // of each stretch
  std::vector<double> squares_;    // of each stretch's gradient
  std::vector<Phase> phases_;
  // The first operation that gradients go back through: behind the first that is trained, or all
  // where that by the inputs is wanted.
  index_t first_back_;
};

}  // namespace pymlp

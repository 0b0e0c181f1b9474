// Trainer: whole epochs of shuffled batches, with validation and the rules that end it.
#pragma once

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "model/network.hpp"
#include "model/step.hpp"
#include "model/thread_trial.hpp"

namespace pymlp {

struct EarlyStopping {
  index_t patience = 10;
  double min_delta = 0.0;
  bool restore_best = true;
};

struct FitOptions {
  index_t epochs = 10;
  index_t batch_size = 32;  // at most the number of samples
  bool shuffle = true;      // of no effect where one batch holds all samples
  std::uint64_t seed = 0;
  int threads = 1;
  double max_seconds = 0.0;  // 0: no limit
  std::optional<EarlyStopping> early_stopping{};
  Regularization regularization{};
  // One for each epoch, or each step; empty: the optimiser's own.
  std::vector<double> learning_rates{};
};

enum class Status {
  running,         // returned because it was time for a look; call run() again
  epochs,          // all epochs done
  early_stopping,  // no improvement for `patience` epochs
  max_seconds,     // time is up; the epoch in progress was cut short
  diverged,        // not finite any more; parameters and optimiser as when the epoch began
  interrupted,     // the pulse said stop; parameters and optimiser as of the last whole step
};

struct Epochs {
  std::vector<double> loss;
  std::vector<double> validation_loss;
  std::vector<double> learning_rate;
};

template <class T>
class Trainer {
 public:
  // The network, the optimiser and the arrays behind the datasets must outlive the trainer.
  Trainer(Network<T>& network, Optimizer<T>& optimizer, const Loss& loss,
          const Source<T>& training, const Source<T>* validation,
          const FitOptions& options);

  // Trains until the status changes, `epochs` more epochs are done or `seconds` have gone by. The
  // caller holds the network's lock. Nothing is allocated but the records of epochs.
  Status run(index_t epochs, double seconds, Interrupt& interrupt);

  // The epochs that ended since they were last taken.
  const Epochs& history() const { return history_; }
  Epochs take_history() { return std::exchange(history_, {}); }
  double seconds() const { return seconds_; }
  index_t samples_seen() const { return epoch_ * training_.size() + position_; }

 private:
  using Clock = std::chrono::steady_clock;

  Batch<T> batch_at(index_t position) const;
  void begin_epoch();
  void set_learning_rate();
  void time_step();
  // Takes one step; false where it must end.
  bool step(Interrupt& interrupt);
  void end_epoch(Interrupt& interrupt);
  void watch(double loss);
  void remember_start();
  void go_back_to_start();
  void finish(Status status);
  bool time_is_up() const;

  Network<T>& network_;
  Optimizer<T>& optimizer_;
  const Source<T>& training_;
  const Source<T>* validation_;  // null: none
  FitOptions options_;
  Step<T> step_;
  ThreadTrial thread_trial_;
  std::optional<Step<T>> validation_step_;
  Buffer<T> gradient_;
  Buffer<T> start_parameters_;  // as they were when the epoch began
  Buffer<T> start_state_;
  std::int64_t start_steps_ = 0;
  Buffer<T> best_parameters_;
  double best_loss_;
  index_t epochs_without_improvement_ = 0;
  Buffer<index_t> order_;  // empty: rows as they lie
  index_t epoch_ = 0;
  index_t epochs_begun_ = 0;
  index_t position_ = 0;  // samples of this epoch already seen
  index_t steps_ = 0;     // of all epochs
  BatchLoss epoch_loss_;
  Epochs history_;
  Status status_ = Status::running;
  double seconds_ = 0.0;
  Clock::time_point started_;
  Clock::time_point looked_;  // when a step last ended
};

}  // namespace pymlp

// Trainer: epochs of shuffled batches, each with its validation. The caller decides when to stop.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "model/network.hpp"
#include "model/scheduled_numbers.hpp"
#include "model/step.hpp"
#include "model/thread_trial.hpp"

namespace pymlp {

struct FitOptions {
  index_t epochs = 10;
  index_t batch_size = 32;  // at most the number of samples
  bool shuffle = true;      // of no effect where one batch holds all samples
  bool drop_last = false;   // a last batch that is short is left out
  std::uint64_t seed = 0;
  int threads = 1;
  Regularization regularization{};
  std::vector<ScheduledNumber> scheduled{};
  double average = 0.0;        // decay of the average that the network shows; 0: none
  std::vector<bool> frozen{};  // layers that stand still; empty: none
  Arithmetic arithmetic = Arithmetic::exact;
};

enum class Status {
  running,      // returned to let the caller look; call run() again
  epochs,       // all epochs done
  diverged,     // not finite any more; parameters and optimiser as when the epoch began
  interrupted,  // an interrupt came; parameters and optimiser as of the last whole step
};

struct Epochs {
  std::vector<double> loss;  // without penalties
  std::vector<double> penalty;
  std::vector<double> validation_loss;
  std::vector<double> learning_rate;
};

// What the epochs after one follow from, besides what a trainer is made of.
template <class T>
struct Boundary {
  index_t epochs = 0;  // before it
  index_t steps = 0;
  Buffer<T> parameters{};  // the network's arena
  Buffer<T> averaged{};    // that of the steps, where the network has their average
  Buffer<T> state{};       // the optimiser's
  Progress progress{};
};

// How many steps see all rows, but for a short last batch that is left out. Where these wait for
// sums over their batch, a last one of one row, which has no variance, joins the one before it.
index_t steps_of_epoch(index_t rows, index_t batch_size, bool joins, bool drop_last = false);

template <class T>
class Trainer {
 public:
  // The network, the optimiser and the sources must outlive the trainer.
  Trainer(Network<T>& network, Optimizer<T>& optimizer, const Loss& loss, const Source<T>& training,
          const Source<T>* validation, const FitOptions& options);

  // Trains until the status changes, `epochs` more epochs are done, `seconds` have gone by or the
  // value of a scheduled number is lacking, on the thread that began the network's training.
  // Nothing is allocated but the records of epochs. The optimiser is left with the values of its
  // last step.
  Status run(index_t epochs, double seconds, Interrupt& interrupt);

  // How many threads its steps may use from now on; at first as many as the options say.
  void set_threads(int threads);
  // How many of these work on a step.
  int workers() const { return step_.workers(std::min(options_.batch_size, training_.size())); }
  bool calls_user_functions() const { return step_.calls_user_functions(); }

  // Ends the epoch in progress where it stands: its validation and its record. Between epochs it
  // does nothing.
  Status close_epoch(Interrupt& interrupt);

  // The end of the last epoch: where the training is, or where the epoch in progress began.
  Boundary<T> boundary() const;
  // Goes on from a boundary whose parameters and state the network and the optimiser have, before
  // the first step: visits the samples in the orders of the epochs after it.
  void go_on(index_t epochs, index_t steps, std::span<const T> averaged, Interrupt& interrupt);

  // Which scheduled number lacks the value of the next step, if any does, and values for that from
  // the epoch or step that comes next on.
  std::optional<std::size_t> lacks_values() const;
  void give_values(std::size_t which, std::vector<double> values) {
    scheduled_.give(which, std::move(values), now());
  }

  // The epochs that ended since they were last taken.
  const Epochs& history() const { return history_; }
  Epochs take_history() { return std::exchange(history_, {}); }
  index_t samples_seen() const { return epoch_ * rows_of_epoch_ + position_; }
  index_t epochs_done() const { return epoch_; }
  // The last of so many epochs more, or of all.
  index_t end_of(index_t epochs) const {
    return epoch_ + std::min(options_.epochs - epoch_, epochs);
  }
  // Of all that the options ask for.
  double share_done() const {
    return static_cast<double>(samples_seen()) / static_cast<double>(rows_of_epoch_) /
           static_cast<double>(options_.epochs);
  }
  Status status() const { return status_; }
  double seconds() const { return seconds_; }  // in run()

 private:
  using Clock = std::chrono::steady_clock;

  Batch<T> batch_at(index_t position) const;
  Batch<T> validation_batch() const {
    return {*validation_, validation_->numbers(), {0, validation_->size()}};
  }
  void train(index_t epochs, double seconds, Interrupt& interrupt);
  void begin_epoch(Interrupt& interrupt);
  Time now() const { return {epoch_, steps_}; }
  void set(const ScheduledNumber& scheduled, double value);
  void set_dropout(const ScheduledNumber& scheduled, double rate);
  // Reads the clock, once in some steps where they are short.
  void look();
  // Takes one step; false where it must end.
  bool step(Interrupt& interrupt);
  void end_epoch(Interrupt& interrupt);
  void remember_start();
  void go_back_to_start();

  Network<T>& network_;
  Program program_;  // the network's, with layers that stand still
  Optimizer<T>& optimizer_;
  const Source<T>& training_;
  const Source<T>* validation_;  // null: none
  FitOptions options_;           // scheduled ones as of the last step
  Loss loss_;
  index_t steps_of_epoch_;
  index_t rows_of_epoch_;
  ScheduledNumbers scheduled_;
  std::vector<double> dropout_rates_;  // of this step, by the buffer that dropout writes
  index_t joined_rows_;                // that the last batch of an epoch has more than others
  GradientPoint<T> point_;
  Step<T> step_;
  ThreadTrial thread_trial_;
  std::optional<Step<T>> validation_step_;
  WriteGuard<T> write_guard_;  // of validation
  Buffer<T> gradient_;
  Buffer<T> start_parameters_;  // as they were when the epoch began
  Buffer<T> start_averaged_;
  Buffer<T> start_state_;
  Progress start_progress_;
  index_t start_steps_ = 0;
  Buffer<index_t> order_;  // of the rows of an epoch; empty: as the source has them
  index_t epoch_ = 0;
  index_t epochs_begun_ = 0;
  index_t position_ = 0;  // samples of this epoch already seen
  index_t steps_ = 0;     // of all epochs
  BatchLoss epoch_loss_;
  Epochs history_;
  Status status_ = Status::running;
  double seconds_ = 0.0;
  Clock::time_point looked_;  // at the clock
  int steps_since_ = 0;       // that
  int steps_to_look_ = 1;     // until the next time
};

}  // namespace pymlp

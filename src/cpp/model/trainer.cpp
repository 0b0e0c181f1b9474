#include "model/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "kernels/table.hpp"
#include "model/shuffle.hpp"

namespace pymlp {

namespace {

// Between two looks at the clock, which cost some 25 nanoseconds each. How long a user function
// takes next time is not known: after those it is read every time.
constexpr double kPause = 20e-6;
constexpr double kMostSteps = 64;

double seconds_between(std::chrono::steady_clock::time_point from,
                       std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

index_t steps_of_epoch(index_t rows, index_t batch_size, bool joins, bool drop_last) {
  if (drop_last && rows >= batch_size) return rows / batch_size;
  const index_t batches = (rows - 1) / batch_size + 1;
  return joins && rows > batch_size && rows % batch_size == 1 ? batches - 1 : batches;
}

template <class T>
Trainer<T>::Trainer(Network<T>& network, Optimizer<T>& optimizer, const Loss& loss,
                    const Source<T>& training, const Source<T>* validation,
                    const FitOptions& options)
    : network_(network),
      program_(options.frozen.empty() ? network.program()
                                      : network.program().frozen(options.frozen)),
      optimizer_(optimizer),
      training_(training),
      validation_(validation),
      options_(options),
      loss_(loss),
      steps_of_epoch_(
          steps_of_epoch(training.size(), options.batch_size, program_.joins(), options.drop_last)),
      rows_of_epoch_(options.drop_last
                         ? std::min(training.size(), steps_of_epoch_ * options.batch_size)
                         : training.size()),
      scheduled_(std::move(options_.scheduled), options.epochs, steps_of_epoch_),
      dropout_rates_(static_cast<std::size_t>(network.program().n_buffers())),
      joined_rows_(std::max(index_t{0}, rows_of_epoch_ - steps_of_epoch_ * options.batch_size)),
      point_(network, program_, options.average),
      step_(program_, loss, Purpose::training, options.batch_size + joined_rows_, options.threads,
            Mode::training, options.arithmetic),
      thread_trial_(step_.workers(options.batch_size) > 1 ? options.threads : 1,
                    std::min(options.batch_size, training.size())),
      gradient_(network.program().n_parameters()),
      start_parameters_(network.program().arena_size()),
      start_state_(optimizer.state().size()) {
  for (const Operation& op : network.program().operations()) {
    dropout_rates_[static_cast<std::size_t>(op.output)] = op.rate;
  }
  if (validation_) {
    validation_step_.emplace(network.program(), loss, Purpose::loss, validation_->size(),
                             options.threads, Mode::inference, options.arithmetic);
    validation_step_->reserve(validation_batch());
  }
  if (options_.shuffle && options_.batch_size < training_.size()) {
    order_ = Buffer<index_t>(training_.size());
    if (const index_t* numbers = training_.numbers()) {
      std::copy_n(numbers, order_.size(), order_.data());
    } else {
      std::iota(order_.span().begin(), order_.span().end(), index_t{0});
    }
  }
  point_.reserve(optimizer_);
  if (options.average > 0.0) start_averaged_ = Buffer<T>(network.program().arena_size());
  step_.reserve(batch_at(0));
  step_.reserve(batch_at((steps_of_epoch_ - 1) * options_.batch_size));
}

template <class T>
Status Trainer<T>::run(index_t epochs, double seconds, Interrupt& interrupt) {
  if (status_ != Status::running) return status_;
  const auto started = looked_ = Clock::now();
  train(epochs, seconds, interrupt);
  seconds_ += seconds_between(started, Clock::now());
  return status_;
}

template <class T>
void Trainer<T>::train(index_t epochs, double seconds, Interrupt& interrupt) {
  const auto started = looked_;
  steps_since_ = 0;
  steps_to_look_ = 1;
  const typename GradientPoint<T>::Steps steps(point_, optimizer_);
  step_.parameters_changed();
  const index_t last_epoch = end_of(epochs);
  while (status_ == Status::running && epoch_ < last_epoch && !lacks_values()) {
    // A user function may have thrown after an epoch began, or after its last step.
    if (epochs_begun_ == epoch_) begin_epoch(interrupt);
    if (interrupt.came()) {
      status_ = Status::interrupted;
      break;
    }
    if (position_ < rows_of_epoch_ && !step(interrupt)) break;
    if (++steps_since_ >= steps_to_look_) look();
    if (position_ == rows_of_epoch_) {
      end_epoch(interrupt);
      if (validation_ != nullptr) {  // not a step's time
        looked_ = Clock::now();
        steps_since_ = 0;
      }
    }
    if (seconds_between(started, looked_) >= seconds) break;
  }
}

template <class T>
void Trainer<T>::set_threads(int threads) {
  if (threads == options_.threads) return;
  options_.threads = threads;
  step_.set_threads(threads);
  thread_trial_ =
      ThreadTrial(workers() > 1 ? threads : 1, std::min(options_.batch_size, training_.size()));
  if (validation_step_) validation_step_->set_threads(threads);
}

template <class T>
Status Trainer<T>::close_epoch(Interrupt& interrupt) {
  if (status_ == Status::running && position_ > 0) end_epoch(interrupt);
  return status_;
}

template <class T>
Boundary<T> Trainer<T>::boundary() const {
  const auto copy_of = [](std::span<const T> values) {
    Buffer<T> copy(std::ssize(values));
    std::ranges::copy(values, copy.data());
    return copy;
  };
  if (epochs_begun_ > epoch_) {
    return {epoch_,
            start_steps_,
            copy_of(start_parameters_.span()),
            copy_of(start_averaged_.span()),
            copy_of(start_state_.span()),
            start_progress_};
  }
  const auto size = static_cast<std::size_t>(start_parameters_.size());
  return {epoch_,
          steps_,
          copy_of({network_.parameters(), size}),
          point_.averaged(),
          copy_of(optimizer_.state().span()),
          optimizer_.progress()};
}

template <class T>
void Trainer<T>::go_on(index_t epochs, index_t steps, std::span<const T> averaged,
                       Interrupt& interrupt) {
  check(epochs_begun_ == 0 && epochs >= 1 && steps >= 1,
        "a training goes on before its first step");
  check(std::ssize(averaged) == start_averaged_.size(), "averaged must have ",
        start_averaged_.size(), " parameters, not ", averaged.size());
  for (index_t epoch = 0; epoch < epochs && order_.size() > 0 && !interrupt.came(); ++epoch) {
    shuffle(order_.span(), epoch_stream(options_.seed, epoch), &interrupt);
  }
  point_.go_on(averaged);
  epoch_ = epochs_begun_ = epochs;
  steps_ = steps;
  if (epoch_ >= options_.epochs) status_ = Status::epochs;
}

template <class T>
void Trainer<T>::look() {
  const auto now = Clock::now();
  const double seconds = seconds_between(looked_, now);
  looked_ = now;
  if (thread_trial_.has_choice()) {
    const index_t before = (position_ - 1) / options_.batch_size * options_.batch_size;
    thread_trial_.record(seconds, position_ - before);
    step_.set_threads(thread_trial_.threads());
  } else if (!step_.calls_user_functions()) {
    steps_to_look_ = static_cast<int>(std::min(kMostSteps, kPause * steps_since_ / seconds));
  }
  steps_since_ = 0;
}

template <class T>
void Trainer<T>::begin_epoch(Interrupt& interrupt) {
  ++epochs_begun_;
  remember_start();
  epoch_loss_ = {};
  if (order_.size() > 0) {
    shuffle(order_.span(), epoch_stream(options_.seed, epoch_), &interrupt);
  }
  constexpr index_t kMany = 1 << 20;  // parameters: copying them takes milliseconds
  if (start_parameters_.size() >= kMany) interrupt.requested();
}

template <class T>
std::optional<std::size_t> Trainer<T>::lacks_values() const {
  const bool steps_to_take = status_ == Status::running && position_ < rows_of_epoch_;
  return steps_to_take ? scheduled_.lacking(now()) : std::nullopt;
}

template <class T>
void Trainer<T>::set(const ScheduledNumber& scheduled, double value) {
  const NumberTraits& traits = traits_of(scheduled.number);
  if (traits.of_rule != nullptr) {
    optimizer_.set_option(traits.of_rule, value);
  } else if (traits.of_regularization != nullptr) {
    options_.regularization.*traits.of_regularization = value;
  } else if (scheduled.number == Number::label_smoothing) {
    loss_.label_smoothing = value;
    step_.set_loss(loss_);
  } else {
    set_dropout(scheduled, value);
  }
}

template <class T>
void Trainer<T>::set_dropout(const ScheduledNumber& scheduled, double rate) {
  bool of_inputs = true;  // before the first layer
  for (const Operation& op : network_.program().operations()) {
    of_inputs = of_inputs && op.kind != OperationKind::dense;
    if (op.kind == OperationKind::dropout &&
        of_inputs == (scheduled.number == Number::input_dropout) &&
        std::ranges::find(scheduled.layers, op.layer) != scheduled.layers.end()) {
      dropout_rates_[static_cast<std::size_t>(op.output)] = rate;
    }
  }
}

template <class T>
Batch<T> Trainer<T>::batch_at(index_t position) const {
  const index_t left = rows_of_epoch_ - position;
  const bool last = left <= options_.batch_size + joined_rows_;
  const index_t count = last ? left : options_.batch_size;
  const index_t* order = order_.size() > 0 ? order_.data() : training_.numbers();
  return {training_, order, {position, count}};
}

template <class T>
bool Trainer<T>::step(Interrupt& interrupt) {
  scheduled_.update(now(), [&](const ScheduledNumber& number, double x) { set(number, x); });
  const Batch<T> batch = batch_at(position_);
  const bool looks = steps_since_ + 1 >= steps_to_look_ || step_.calls_user_functions();
  const DropoutDraws draws{options_.seed, static_cast<std::uint64_t>(steps_),
                           dropout_rates_.data()};
  const BatchLoss loss =
      step_
          .update({.parameters = point_.parameters(),
                   .batch = batch,
                   .gradient = gradient_.data(),
                   .draws = &draws,
                   .interrupt = looks ? &interrupt : nullptr},
                  {network_, optimizer_, options_.regularization, nullptr, &point_})
          .loss;
  if (interrupt.came()) {
    status_ = Status::interrupted;
  } else if (!std::isfinite(loss.total())) {
    go_back_to_start();
    status_ = Status::diverged;
  } else {
    epoch_loss_ += loss;
    position_ += batch.size();
    ++steps_;
  }
  return status_ == Status::running;
}

template <class T>
void Trainer<T>::end_epoch(Interrupt& interrupt) {
  double validation_loss = 0.0;
  if (validation_) {
    const auto run = [&] {
      return validation_step_->run({.parameters = network_.parameters(),
                                    .batch = validation_batch(),
                                    .interrupt = &interrupt});
    };
    validation_loss =
        (validation_step_->calls_user_functions() ? write_guard_.watch(network_, &interrupt, run)
                                                  : run())
            .mean();
    if (interrupt.requested()) {
      status_ = Status::interrupted;
      return;
    }
  }
  // The last update of an epoch is seen by no later batch, so the parameters are checked as well.
  const Program& program = network_.program();
  if (!std::isfinite(validation_loss) || !std::isfinite(epoch_loss_.total()) ||
      !kernels<T>().all_finite(network_.parameters(), program.arena_size())) {
    go_back_to_start();
    status_ = Status::diverged;
    return;
  }
  history_.loss.push_back(epoch_loss_.mean());
  history_.penalty.push_back(epoch_loss_.mean_penalty());
  history_.learning_rate.push_back(optimizer_.rule().learning_rate);
  if (validation_) history_.validation_loss.push_back(validation_loss);
  position_ = 0;
  ++epoch_;
  if (epoch_ == options_.epochs) status_ = Status::epochs;
}

template <class T>
void Trainer<T>::remember_start() {
  std::ranges::copy_n(network_.parameters(), start_parameters_.size(), start_parameters_.data());
  std::ranges::copy(optimizer_.state().span(), start_state_.data());
  start_progress_ = optimizer_.progress();
  start_steps_ = steps_;
  if (start_averaged_.size() > 0) std::ranges::copy(point_.own().span(), start_averaged_.data());
}

template <class T>
void Trainer<T>::go_back_to_start() {
  const std::unique_lock lock(network_.access().mutex());
  std::ranges::copy(start_parameters_.span(), network_.parameters());
  std::ranges::copy(start_state_.span(), optimizer_.state().data());
  optimizer_.set_progress(start_progress_);
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace pymlp

// CoreNetwork: a network as Python holds it, with the memory that calls reuse. How they read and
// write its parameters: model/access.hpp and docs/threads.md have the rules.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/current_arithmetic.hpp"
#include "bindings/custom_functions.hpp"
#include "bindings/gil.hpp"
#include "bindings/signals.hpp"
#include "model/kept_steps.hpp"
#include "model/network.hpp"
#include "model/predict.hpp"
#include "model/step.hpp"

namespace pymlp::bindings {

// name, parameters, and for `custom` the functions forward and derivative
using ActivationSpec = std::tuple<std::string, std::vector<double>, py::object, py::object>;

template <class T>
class CoreNetwork {
 public:
  CoreNetwork(Architecture architecture, const std::vector<ActivationSpec>& activations)
      : network_(std::make_shared<Network<T>>(program_of(std::move(architecture), activations))),
        at_fork_({.in_child = [this] { forget_others_memory(); }}) {}

  Network<T>& network() { return *network_; }
  const Program& program() const { return network_->program(); }
  // What calls of this network compute with whatever their context says; none: the context's.
  void set_arithmetic(const std::optional<std::string>& name) {
    std::optional<Arithmetic> wanted;
    if (name) {
      wanted.emplace(arithmetic_of_name(*name));
      const gil::Released released;
      prepare(*wanted);
    }
    arithmetic_ = wanted;
  }
  // With the GIL held, when a call begins.
  Arithmetic arithmetic() const { return arithmetic_.value_or(current_arithmetic()); }
  Arithmetic arithmetic_of_call() const {
    const Arithmetic of_call = arithmetic();
    if (!is_ready(of_call)) {
      const gil::Released released;
      prepare(of_call);
    }
    return of_call;
  }
  // Views of the parameters keep these alive, and not this object: a ring of references that runs
  // through a user function would not be found through an array.
  std::shared_ptr<Network<T>> shared() const { return network_; }

  // work(reading), of so many rows. Short reads are in place, under the lock that is shared with
  // other readers; long ones are in place while nobody trains, else of a copy. So are those that
  // call user functions, which may do anything and want any lock.
  template <class Work>
  void reading(index_t rows, bool user_functions, Work&& work) {
    const double operations = static_cast<double>(rows) * program().forward_operations();
    const Arithmetic arithmetic = arithmetic_of_call();
    Signals signals;
    Interrupt* interrupt =
        operations < kWorthInterrupting && !user_functions ? nullptr : &signals.interrupt();
    {
      const gil::Released released;
      read(rows, user_functions, arithmetic, interrupt, work);
    }
    signals.raise();
  }

  // The same without the GIL, on any thread.
  template <class Work>
  void read(index_t rows, bool user_functions, Arithmetic arithmetic, Interrupt* interrupt,
            Work&& work) {
    const double operations = static_cast<double>(rows) * program().forward_operations();
    if (user_functions) {
      read_copy(work, interrupt, arithmetic);
    } else if (is_short(rows, operations)) {
      const std::shared_lock lock(access().mutex());
      work(Reading<T>{network(), network().parameters(), nullptr, arithmetic});
    } else if (const LongRead read(access()); read.in_place()) {
      work(Reading<T>{network(), network().parameters(), interrupt, arithmetic});
    } else {
      read_copy(work, interrupt, arithmetic);
    }
  }

  // One pass by the rules of reading(): its loss, and what else the pass asks for. Its parameters
  // and its interrupt are set here.
  BatchLoss run(const Loss& loss, Purpose purpose, Mode mode, int threads, Pass<T> pass) {
    const index_t rows = pass.batch.size();
    const bool user_functions = program().has_user_functions() || loss.custom != nullptr;
    BatchLoss result;
    reading(rows, user_functions, [&](const Reading<T>& reading) {
      pass.parameters = reading.parameters;
      pass.interrupt = reading.interrupt;
      kept_.with_step(program(), {purpose, mode, loss, rows, threads, reading.arithmetic},
                      [&](Step<T>& step) { result = step.run(pass); });
    });
    return result;
  }

  // Reads with the GIL held, for work that is shorter than releasing and acquiring it. The lock is
  // never waited for with the GIL held: while a step writes, does nothing and returns false.
  template <class Work>
  bool try_reading(Work&& work) {
    const Arithmetic arithmetic = arithmetic_of_call();
    const std::shared_lock lock(access().mutex(), std::try_to_lock);
    if (!lock.owns_lock()) return false;
    work(Reading<T>{network(), network().parameters(), nullptr, arithmetic});
    return true;
  }

  // The arena as of the last whole step.
  Array<T> snapshot() {
    Array<T> result(program().arena_size());
    T* to = result.mutable_data();
    const gil::Released released;
    copy_parameters(to);
    return result;
  }

  // (steps, weight_sum, state) of the optimiser of this network, as of the last whole step.
  std::tuple<std::int64_t, double, Array<T>> snapshot_of(const Optimizer<T>& optimizer) {
    Array<T> state(optimizer.state().size());
    T* to = state.mutable_data();
    Progress progress;
    {
      const gil::Released released;
      const std::shared_lock lock(access().mutex());
      progress = optimizer.progress();
      std::ranges::copy(optimizer.state().span(), to);
    }
    return {progress.steps, progress.weight_sum, std::move(state)};
  }

  // work(interrupt), as the one training of this network.
  template <class Work>
  void as_training(Work&& work) {
    Signals signals;
    {
      const gil::Released released;
      const TrainingScope scope(access(), &signals.interrupt());
      if (scope.begun()) work(signals.interrupt());
    }
    signals.raise();
  }

  void check_trained_here() const {
    check_state(network_->access().trained_here(), "this thread does not train this network");
  }

  // Writes the arena in the middle of a training of this thread.
  void write(const Array<T>& values) {
    const T* from = const_vector(values, "values", program().arena_size());
    check_trained_here();
    const gil::Released released;
    const std::unique_lock lock(access().mutex());
    std::copy_n(from, program().arena_size(), network().parameters());
  }

  // One step on one batch, of a training. Loops in Python call this with batches of one size, so
  // the memory is kept from call to call.
  StepResult step(const Source<T>& source, const Loss& loss, Optimizer<T>& optimizer,
                  const Regularization& regularization, const DropoutDraws& draws, int threads,
                  Arithmetic arithmetic, Interrupt& interrupt) {
    BatchMemory& memory = memory_for(source, loss, regularization, threads, arithmetic);
    memory.step.set_loss(loss);
    memory.step.parameters_changed();
    const typename GradientPoint<T>::Steps steps(memory.point, optimizer);
    return memory.step.update({.parameters = memory.point.parameters(),
                               .batch = {source, nullptr, {0, source.size()}},
                               .gradient = memory.gradient.data(),
                               .draws = &draws,
                               .update_last = regularization.has_penalty(),
                               .interrupt = &interrupt},
                              {network(), optimizer, regularization, &memory.undo, &memory.point});
  }

  // Lets go of the memory that calls use again.
  void release_memory() {
    as_training([&](Interrupt&) { memory_.reset(); });
    kept_.clear();
  }

  // For Python's garbage collector.
  int traverse(visitproc visit, void* arg) const {
    for (const auto& function : functions_) {
      if (const int stop = function->traverse(visit, arg); stop != 0) return stop;
    }
    return 0;
  }
  void clear() {
    for (const auto& function : functions_) function->clear();
  }

 private:
  // One row costs this much or less: microseconds, in which no step need go on.
  static constexpr double kShort = 1e5;
  static constexpr index_t kFewRows = 8;             // copying the parameters takes longer
  static constexpr double kWorthInterrupting = 1e8;  // a millisecond

  struct BatchMemory {
    Step<T> step;
    int threads;
    Buffer<T> gradient;
    Undo<T> undo;
    GradientPoint<T> point;
  };

  BatchMemory& memory_for(const Source<T>& source, const Loss& loss,
                          const Regularization& regularization, int threads,
                          Arithmetic arithmetic) {
    const index_t rows = source.size();
    // Norms and penalties are summed by stretches, which follow from the capacity.
    const bool sums = regularization.clip_norm > 0.0 || regularization.has_penalty();
    const auto fits = [&](index_t capacity) { return sums ? rows == capacity : rows <= capacity; };
    if (!memory_ || !fits(memory_->step.capacity()) || memory_->threads != threads ||
        memory_->step.arithmetic() != arithmetic) {
      memory_.reset();
      memory_.reset(new BatchMemory{
          {program(), loss, Purpose::training, rows, threads, Mode::training, arithmetic},
          threads,
          Buffer<T>(program().n_parameters()),
          {},
          GradientPoint<T>(network(), program())});
    }
    return *memory_;
  }

  // Another thread was at a step, and is not here to finish: its memory may be in any state.
  void forget_others_memory() {
    if (access().left_behind()) static_cast<void>(memory_.release());
  }

  static bool is_short(index_t rows, double operations) {
    return operations < kShort || (rows <= kFewRows && operations < 10.0 * kWorthInterrupting);
  }

  Access& access() { return network_->access(); }

  void copy_parameters(T* to) {
    const std::shared_lock lock(access().mutex());
    std::copy_n(network().parameters(), program().arena_size(), to);
  }
  template <class Work>
  void read_copy(Work&& work, Interrupt* interrupt, Arithmetic arithmetic) {
    Buffer<T> copy(program().arena_size());
    copy_parameters(copy.data());
    work(Reading<T>{network(), copy.data(), interrupt, arithmetic});
  }

  Program program_of(Architecture architecture, const std::vector<ActivationSpec>& specs) {
    architecture.activations = known(specs);
    return Program(architecture);
  }

  std::vector<Activation> known(const std::vector<ActivationSpec>& specs) {
    std::vector<Activation> activations;
    for (const auto& [name, parameters, forward, derivative] : specs) {
      activations.push_back(make_activation(name, parameters));
      const bool custom = activations.back().kind == ActivationKind::custom;
      check(custom == !forward.is_none() && custom == !derivative.is_none(),
            "two functions go with activation 'custom', and only with that");
      if (!custom) continue;
      functions_.push_back(std::make_unique<PythonActivation>(forward, derivative));
      activations.back().custom = functions_.back().get();
    }
    return activations;
  }

  std::vector<std::unique_ptr<PythonActivation>> functions_;
  std::shared_ptr<Network<T>> network_;
  std::optional<Arithmetic> arithmetic_;
  std::unique_ptr<BatchMemory> memory_;  // of single steps
  KeptSteps<T> kept_;                    // of losses and gradients
  AtFork at_fork_;
};

}  // namespace pymlp::bindings

// CoreNetwork: a network as Python holds it, with the memory that single steps reuse.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/custom_functions.hpp"
#include "model/network.hpp"
#include "model/step.hpp"

namespace pymlp::bindings {

// name, parameters, and for `custom` the functions forward and derivative
using ActivationSpec = std::tuple<std::string, std::vector<double>, py::object, py::object>;

template <class T>
class CoreNetwork {
 public:
  CoreNetwork(const std::vector<index_t>& widths, const std::vector<ActivationSpec>& activations,
              bool bias, const std::vector<double>& dropout)
      : network_(Program(widths, known(activations), bias, dropout)) {}

  Network<T>& network() { return network_; }
  const Program& program() const { return network_.program(); }

  // While a reader works other readers may too, but no step writes. The lock is waited for without
  // the GIL, because its holder may need the GIL before releasing it. A user function may read the
  // network that called it: this thread holds the lock already.
  template <class Work>
  auto reading(Work&& work) {
    const py::gil_scoped_release released;
    if (at_work()) return work(network_);
    const std::shared_lock lock(network_.mutex());
    const AtWork mark(this);
    return work(network_);
  }

  // Reads with the GIL held, for work that is shorter than releasing and acquiring it. The lock is
  // never waited for with the GIL held: while a step writes, does nothing and returns false.
  template <class Work>
  bool try_reading(Work&& work) {
    std::shared_lock lock(network_.mutex(), std::defer_lock);
    if (!at_work() && !lock.try_lock()) return false;
    const AtWork mark(this);
    work(network_);
    return true;
  }

  template <class Work>
  auto writing(Work&& work) {
    check_state(!at_work(), "a user function that this network calls must not train it");
    const py::gil_scoped_release released;  // as for reading
    std::unique_lock lock(network_.mutex());
    const AtWork mark(this);
    return work(network_, lock);
  }

  // One step on one batch; the caller is writing. Loops in Python call this with batches of one
  // size, so the memory is kept from call to call.
  BatchLoss step(const Source<T>& source, const Loss& loss, Optimizer<T>& optimizer,
                 const Regularization& regularization, const DropoutDraws& draws, int threads) {
    const index_t rows = source.size();
    // Norms and penalties are summed by stretches, which follow from the capacity.
    const bool sums = regularization.clip_norm > 0.0 || regularization.has_penalty();
    const bool fits = step_ && (sums ? rows == step_->capacity() : rows <= step_->capacity());
    if (!fits || threads != step_threads_) {
      step_.emplace(program(), loss, Purpose::training, rows, threads);
      step_threads_ = threads;
    }
    if (gradient_.size() == 0) gradient_ = Buffer<T>(program().n_parameters());
    step_->set_loss(loss);
    step_->parameters_changed();
    return step_->update({.parameters = network_.parameters(),
                          .batch = {source, nullptr, {0, rows}},
                          .gradient = gradient_.data(),
                          .draws = &draws,
                          .update_last = regularization.has_penalty()},
                         network_.parameters(), optimizer, regularization);
  }

 private:
  // The networks whose locks this thread holds, innermost first.
  struct AtWork {
    explicit AtWork(const CoreNetwork* core) : network(core), outer(innermost_) {
      innermost_ = this;
    }
    ~AtWork() { innermost_ = outer; }
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;
    const CoreNetwork* network;
    const AtWork* outer;
  };
  static inline thread_local const AtWork* innermost_ = nullptr;

  bool at_work() const {
    const AtWork* work = innermost_;
    while (work != nullptr && work->network != this) work = work->outer;
    return work != nullptr;
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
  Network<T> network_;
  std::optional<Step<T>> step_;
  int step_threads_ = 0;
  Buffer<T> gradient_;
};

}  // namespace pymlp::bindings

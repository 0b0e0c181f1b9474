// KeptSteps: calls beside training use the step of the call before again, its plan and its memory.
//
// There is one for each purpose. It is taken out while it is used: a call that comes meanwhile,
// from another thread, a user function or a signal handler, makes its own, and the one that ends
// last is kept. Parameters may have been written between two calls, so weights are packed anew:
// that takes less than to find out whether they were.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "model/step.hpp"

namespace pymlp {

template <class T>
class KeptSteps {
 public:
  // Of each. A larger one is not kept: what it computes takes far longer than to take its memory.
  static constexpr index_t most_bytes = index_t{16} << 20;

  struct Use {
    Purpose purpose;
    Mode mode;
    const Loss& loss;
    index_t rows;
    int threads;
    Arithmetic arithmetic;
  };

  KeptSteps() = default;
  KeptSteps(const KeptSteps&) = delete;
  KeptSteps& operator=(const KeptSteps&) = delete;
  ~KeptSteps() { clear(); }

  // work(step); the program is always the same, and outlives this. Where it throws, the step is not
  // kept. The loss is read while it runs, and not later.
  template <class Work>
  void with_step(const Program& program, const Use& use, Work&& work) {
    Place& place = places_[static_cast<std::size_t>(use.purpose)];
    std::unique_ptr<Step<T>> step(place.exchange(nullptr));
    if (step && fits(*step, use)) {
      step->set_loss(use.loss);
      step->set_threads(use.threads);
      step->parameters_changed();
    } else {
      step.reset();
      step = std::make_unique<Step<T>>(program, use.loss, use.purpose, use.rows, use.threads,
                                       use.mode, use.arithmetic);
    }
    work(*step);
    if (step->bytes() <= most_bytes) step.reset(place.exchange(step.release()));
  }

  void clear() {
    for (Place& place : places_) delete place.exchange(nullptr);
  }

 private:
  using Place = std::atomic<Step<T>*>;  // owned; null while it is used

  // One for far more rows would cut the parameters into far more stretches.
  static bool fits(const Step<T>& step, const Use& use) {
    return step.mode() == use.mode && step.arithmetic() == use.arithmetic &&
           use.rows <= step.capacity() && step.capacity() <= 2 * use.rows;
  }

  std::array<Place, 6> places_{};  // one for each Purpose
};

}  // namespace pymlp

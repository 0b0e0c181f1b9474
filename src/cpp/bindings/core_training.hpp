// CoreTraining: the training of a network as a context of Python: `with Training(network): ...`.
// Entered and left by C functions, and ended with the object at the latest: a training that is
// begun is ended, whatever a signal handler raises when.
#pragma once

#include "bindings/signals.hpp"
#include "model/access.hpp"

namespace pymlp::bindings {

class CoreTraining {
 public:
  explicit CoreTraining(Access& access) : access_(access) {}  // must outlive this
  CoreTraining(CoreTraining&&) = delete;
  ~CoreTraining() {
    if (begun_ && access_.trained_here()) access_.end_training();
  }

  void enter() {
    check_state(!begun_, "this training has begun already");
    Signals signals;
    {
      const gil::Released released;
      begun_ = access_.begin_training(&signals.interrupt());
    }
    signals.raise();
  }
  void exit(const py::args&) {
    check_state(begun_ && access_.trained_here(), "this thread does not train this network");
    begun_ = false;
    access_.end_training();
  }

 private:
  Access& access_;
  bool begun_ = false;
};

}  // namespace pymlp::bindings

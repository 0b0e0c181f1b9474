// CoreTraining: the training of a network as a context of Python: `with Training(network): ...`.
// Entered and left by C functions, between which and the block no signal handler runs: a training
// that is begun is ended, whatever is raised when.
#pragma once

#include "bindings/signals.hpp"
#include "model/access.hpp"

namespace pymlp::bindings {

class CoreTraining {
 public:
  explicit CoreTraining(Access& access) : access_(access) {}  // must outlive this

  void enter() {
    Signals signals;
    {
      const gil::Released released;
      access_.begin_training(&signals.interrupt());
    }
    signals.raise();
  }
  void exit(const py::args&) { access_.end_training(); }

 private:
  Access& access_;
};

}  // namespace pymlp::bindings

// Signals: how work without the GIL finds out that a signal came, and has Python handle it.
#pragma once

#include <optional>

#include "base/interrupt.hpp"
#include "bindings/gil.hpp"

namespace pymlp::bindings {

// On the thread that made it. Whoever looks holds no lock.
class Signals {
 public:
  Interrupt& interrupt() { return interrupt_ ? *interrupt_ : interrupt_.emplace(&handled); }

  // To be called with the GIL, when the work has ended: throws what a signal handler raised.
  void raise() const {
    if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  }

 private:
  // An exception of a handler stays set in this thread until raise().
  static bool handled() {
    const gil::Held held;
    return PyErr_Occurred() != nullptr ||
           gil::never_unwound([] { return PyErr_CheckSignals(); }) != 0;
  }

  std::optional<Interrupt> interrupt_;
};

}  // namespace pymlp::bindings

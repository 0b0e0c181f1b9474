// The table of contents of pymlp._core.
#include <pybind11/pybind11.h>

#include "bindings/bind.hpp"
#include "bindings/whole_objects.hpp"

PYBIND11_MODULE(core_of_main_interpreter, module) {
  module.doc() = "The C++ core of pymlp. Arrays must be C-contiguous, aligned and of exact dtype.";
  pymlp::bindings::bind_arithmetic(module);
  pymlp::bindings::bind_config(module);
  pymlp::bindings::bind_catalog(module);
  pymlp::bindings::bind_schedules(module);
  pymlp::bindings::bind_optimizers(module);
  pymlp::bindings::bind_architecture(module);
  pymlp::bindings::bind_networks(module);
  pymlp::bindings::bind_predict(module);
  pymlp::bindings::bind_stack(module);
  pymlp::bindings::bind_plan(module);
  pymlp::bindings::bind_trainers(module);
  pymlp::bindings::make_objects_whole(module);
}

// What pybind11 does before the function above waits for ever in another interpreter that shares
// the GIL, and what is static here is one for the process.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) {
    return PyInit_core_of_main_interpreter();
  }
  PyErr_SetString(PyExc_ImportError, "pymlp works in the main interpreter alone");
  return nullptr;
}

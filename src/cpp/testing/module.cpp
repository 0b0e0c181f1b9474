// The table of contents of pymlp._core_test. It links the same library as _core, and has its
// own copy of all static objects: tables, the team of threads.
#include <pybind11/pybind11.h>

#include "testing/bind.hpp"

PYBIND11_MODULE(_core_test, module) {
  module.doc() = "Single kernels of pymlp, for tests and benchmarks.";
  pymlp::testing::bind_kernels(module);
  pymlp::testing::bind_speed(module);
}

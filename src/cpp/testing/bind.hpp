// One function per concept; each lives in the file of its name.
#pragma once

#include <pybind11/pybind11.h>

namespace pymlp::testing {

void bind_kernels(pybind11::module_& module);
void bind_speed(pybind11::module_& module);

}  // namespace pymlp::testing

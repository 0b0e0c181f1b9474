// What a call from Python computes its products with: what a `with` block of the caller says, else
// the process's choice. A context variable: threads and asyncio's tasks have their own. Asked once,
// when a call begins, with the GIL held.
#pragma once

#include "kernels/arithmetic.hpp"

namespace pymlp::bindings {

Arithmetic current_arithmetic();

}  // namespace pymlp::bindings

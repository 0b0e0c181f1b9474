// What computes matrix products, by name. `exact` are the package's own kernels: the same bits for
// any number of rows and threads and on every ISA. `blas` makes no such promise.
//
// A call reads once what it is to run with and hands it on; nothing below the bindings reads this.
#pragma once

#include <string_view>

namespace pymlp {

enum class Arithmetic { exact, blas };

Arithmetic arithmetic_of_name(std::string_view name);
std::string_view name_of(Arithmetic arithmetic);

// What calls of this process run with that say nothing else; at first as PYMLP_GEMM says: exact (or
// native), blas, or auto, which is exact where the processor has fused multiply-adds, or where
// there is no BLAS.
Arithmetic process_arithmetic();
void set_process_arithmetic(Arithmetic arithmetic);

// Whether it needs nothing to be loaded.
bool is_ready(Arithmetic arithmetic);
// Loads what it needs; throws where that cannot be had.
void prepare(Arithmetic arithmetic);

}  // namespace pymlp

#include "kernels/arithmetic.hpp"

#include <atomic>
#include <cstdlib>

#include "base/check.hpp"
#include "base/cpu.hpp"
#include "kernels/blas.hpp"

namespace pymlp {

namespace {

Arithmetic of_environment() {
  const char* text = std::getenv("PYMLP_GEMM");
  const std::string_view wish = text == nullptr || *text == '\0' ? "auto" : text;
  if (wish == "exact" || wish == "native") return Arithmetic::exact;
  if (wish == "blas") return Arithmetic::blas;
  check(wish == "auto", "PYMLP_GEMM must be auto, exact (or native) or blas, not '", wish, "'");
  const bool computed_in_software = !has_fused_multiply_add(selected_isa());
  return computed_in_software && blas::is_built_in() ? Arithmetic::blas : Arithmetic::exact;
}

std::atomic<Arithmetic>& choice() {
  static std::atomic<Arithmetic> choice{of_environment()};
  return choice;
}

}  // namespace

Arithmetic arithmetic_of_name(std::string_view name) {
  if (name == "exact") return Arithmetic::exact;
  check(name == "blas", "arithmetic must be exact or blas, not '", name, "'");
  return Arithmetic::blas;
}

std::string_view name_of(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::exact ? "exact" : "blas";
}

Arithmetic process_arithmetic() { return choice().load(std::memory_order_relaxed); }

void set_process_arithmetic(Arithmetic arithmetic) {
  prepare(arithmetic);
  choice().store(arithmetic, std::memory_order_relaxed);
}

bool is_ready(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::exact || blas::is_loaded();
}

void prepare(Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::blas) blas::load();
}

}  // namespace pymlp

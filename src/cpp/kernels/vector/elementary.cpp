#include "kernels/elementary.hpp"

#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/math/math.hpp"
#include "kernels/vector/math/trigonometric.hpp"

namespace pymlp {
namespace {

template <class T, class Function>
PYMLP_INLINE void apply(T* y, const T* x, index_t n, Function function) {
  PYMLP_VECTOR_LOOP
  for (index_t i = 0; i < n; ++i) y[i] = function(x[i]);
}

template <class T>
void elementary(Elementary function, T* y, const T* x, index_t n) {
  switch (function) {
    case Elementary::exp:
      return apply(y, x, n, [](T x) { return math::exp(x); });
    case Elementary::expm1:
      return apply(y, x, n, [](T x) { return math::expm1(x); });
    case Elementary::log:
      return apply(y, x, n, [](T x) { return math::log(x); });
    case Elementary::log1p:
      return apply(y, x, n, [](T x) { return math::log1p(x); });
    case Elementary::tanh:
      return apply(y, x, n, [](T x) { return math::tanh(x); });
    case Elementary::sigmoid:
      return apply(y, x, n, [](T x) { return math::sigmoid(x); });
    case Elementary::softplus:
      return apply(y, x, n, [](T x) { return math::softplus(x); });
    case Elementary::erf:
      return apply(y, x, n, [](T x) { return math::erf(x); });
    case Elementary::sin:
      return apply(y, x, n, [](T x) { return math::sin(x); });
    case Elementary::cos:
      return apply(y, x, n, [](T x) { return math::cos(x); });
  }
}

}  // namespace

template <Isa isa, class T>
void add_elementary(Kernels<T>& table) {
  table.elementary = elementary<T>;
}

template void add_elementary<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_elementary<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

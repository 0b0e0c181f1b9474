// Parametric activations: a = z + alpha (g(z) - z), computed as (1 - alpha) z + alpha g(z): what is
// left of a small g(z) beside a large z is then not lost, and alpha = 1 gives g itself.
#include "kernels/table.hpp"
#include "kernels/vector/activation_kinds.hpp"
#include "kernels/vector/loops.hpp"

namespace pymlp {
namespace {

template <class T>
void parametric_forward(MatrixView<T> a, ConstMatrixView<T> z, const T* alpha,
                        const Activation& g) {
  with_function<T>(g, [&](auto function) {
    for (index_t i = 0; i < z.rows; ++i) {
      const T* zi = z.row(i);
      T* ai = a.row(i);
      PYMLP_VECTOR_LOOP
      for (index_t j = 0; j < z.cols; ++j) {
        ai[j] = (T(1) - alpha[j]) * zi[j] + alpha[j] * function.value(zi[j]);
      }
    }
    return true;
  });
}

template <class T>
void parametric_backward(MatrixView<T> da, ConstMatrixView<T> z, const T* alpha, T* dalpha,
                         const Activation& g) {
  for (index_t j = 0; j < z.cols; ++j) dalpha[j] = T(0);
  with_function<T>(g, [&](auto function) {
    for (index_t i = 0; i < z.rows; ++i) {
      const T* zi = z.row(i);
      T* di = da.row(i);
      PYMLP_VECTOR_LOOP
      for (index_t j = 0; j < z.cols; ++j) {
        const auto [value, slope] = function.at(zi[j]);
        dalpha[j] += di[j] * (value - zi[j]);
        di[j] *= (T(1) - alpha[j]) + alpha[j] * slope;
      }
    }
    return true;
  });
}

}  // namespace

template <Isa isa, class T>
void add_parametric(Kernels<T>& table) {
  table.parametric_forward = parametric_forward<T>;
  table.parametric_backward = parametric_backward<T>;
}

template void add_parametric<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_parametric<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

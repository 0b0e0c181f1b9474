// Activations, each forward above its backward. Shapes: z, a, dz, da all (m, n).
#include "kernels/activation.hpp"

#include "kernels/loops.hpp"
#include "kernels/math.hpp"
#include "kernels/table.hpp"

namespace pymlp {
namespace {

template <class T, class Value>
PYMLP_INLINE void map(MatrixView<T> a, ConstMatrixView<T> z, Value value) {
  for_rows(
      [value](index_t n, T* a, const T* z) {
        PYMLP_VECTOR_LOOP
        for (index_t j = 0; j < n; ++j) a[j] = value(z[j]);
      },
      a, z);
}

// dz = da * slope(source): the source is a where g' can be had from it, z where it can not.
template <class T, class Slope>
PYMLP_INLINE void chain(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> source,
                        Slope slope) {
  for_rows(
      [slope](index_t n, T* dz, const T* da, const T* s) {
        PYMLP_VECTOR_LOOP
        for (index_t j = 0; j < n; ++j) dz[j] = da[j] * slope(s[j]);
      },
      dz, da, source);
}

// The largest entry counts as e^0 without a subtraction, so that infinite logits give the limit.
template <class T>
void softmax_forward(MatrixView<T> a, ConstMatrixView<T> z) {
  for (index_t i = 0; i < z.rows; ++i) {
    const T* zi = z.row(i);
    T* ai = a.row(i);
    const T largest = largest_of(zi, z.cols);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < z.cols; ++j) {
      ai[j] = zi[j] == largest ? T(1) : math::exp(zi[j] - largest);
    }
    const T sum = sum_of(ai, z.cols);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < z.cols; ++j) ai[j] /= sum;
  }
}

template <class T>
void softmax_backward(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> a) {
  for (index_t i = 0; i < a.rows; ++i) {
    const T* ai = a.row(i);
    const T* dai = da.row(i);
    T* dzi = dz.row(i);
    T dot = 0;
    for (index_t j = 0; j < a.cols; ++j) dot = math::fma(dai[j], ai[j], dot);
    PYMLP_VECTOR_LOOP
    for (index_t j = 0; j < a.cols; ++j) dzi[j] = ai[j] * (dai[j] - dot);
  }
}

template <class T>
void activation_forward(MatrixView<T> a, ConstMatrixView<T> z, const Activation& g) {
  const T p0 = static_cast<T>(g.parameters[0]);
  const T p1 = static_cast<T>(g.parameters[1]);
  switch (g.kind) {
    case ActivationKind::linear:
      if (a.data == z.data) return;
      return map(a, z, [](T z) { return z; });
    case ActivationKind::step:  // NaN in, NaN out: it is neither above nor below the threshold
      return map(a, z, [p0](T z) { return z > p0 ? T(1) : z <= p0 ? T(0) : z; });
    case ActivationKind::sigmoid:
      return map(a, z, [](T z) { return math::sigmoid(z); });
    case ActivationKind::softmax:
      return softmax_forward(a, z);
    case ActivationKind::tanh:
      return map(a, z, [](T z) { return math::tanh(z); });
    case ActivationKind::relu:
      return map(a, z, [](T z) { return z <= T(0) ? T(0) : z; });
    case ActivationKind::leaky_relu:
      if (p0 == T(0)) {  // 0 * -infinity would be NaN
        return map(a, z, [p1](T z) { return z > p1 ? z : z <= p1 ? T(0) : z; });
      }
      return map(a, z, [p0, p1](T z) { return z > p1 ? z : p0 * z; });
    case ActivationKind::elu:
      return map(a, z, [p0](T z) { return z > T(0) ? z : p0 * math::expm1(z); });
  }
}

template <class T>
void activation_backward(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> z,
                         ConstMatrixView<T> a, const Activation& g) {
  const T p0 = static_cast<T>(g.parameters[0]);
  const T p1 = static_cast<T>(g.parameters[1]);
  switch (g.kind) {
    case ActivationKind::linear:
      if (dz.data == da.data) return;
      return chain(dz, da, da, [](T) { return T(1); });
    case ActivationKind::step:
      return chain(dz, da, a, [](T) { return T(0); });
    case ActivationKind::sigmoid:
      return chain(dz, da, a, [](T a) { return a * (T(1) - a); });
    case ActivationKind::softmax:
      return softmax_backward(dz, da, a);
    case ActivationKind::tanh:
      return chain(dz, da, a, [](T a) { return math::fma(-a, a, T(1)); });
    case ActivationKind::relu:
      return chain(dz, da, a, [](T a) { return a > T(0) ? T(1) : T(0); });
    case ActivationKind::leaky_relu:
      return chain(dz, da, z, [p0, p1](T z) { return z > p1 ? T(1) : p0; });
    case ActivationKind::elu:
      return chain(dz, da, z, [p0](T z) { return z > T(0) ? T(1) : p0 * math::exp(z); });
  }
}

}  // namespace

template <Isa isa, class T>
void add_activations(Kernels<T>& table) {
  table.activation_forward = activation_forward<T>;
  table.activation_backward = activation_backward<T>;
}

template void add_activations<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_activations<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

// Element-wise activations: a = value(z), and its slope g'. Where the traits say that the
// derivative needs z both are written as one function of z, at(), as they share most of their work;
// the half that a caller leaves is not computed. Else the slope is a function of a. Included only
// by activation_kinds.hpp.
//
// Where a formula would multiply an infinity by 0, z is held at `edge`, beyond which the value no
// longer changes: infinite inputs give the limit.
#pragma once

#include "base/view.hpp"
#include "kernels/activation.hpp"
#include "kernels/vector/math/math.hpp"
#include "kernels/vector/math/trigonometric.hpp"

namespace pymlp {
namespace {

template <class T>
struct ValueAndSlope {
  T value, slope;
};

// The slope follows from a.
template <class T, class Function>
struct OfValue {
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const auto& function = static_cast<const Function&>(*this);
    const T a = function.value(z);
    return {a, function.slope(a)};
  }
};

// Value and slope follow from z.
template <class T, class Function>
struct OfInput {
  PYMLP_INLINE T value(T z) const { return static_cast<const Function&>(*this).at(z).value; }
  PYMLP_INLINE T slope(T z) const { return static_cast<const Function&>(*this).at(z).slope; }
};

template <class T>
struct Linear : OfValue<T, Linear<T>> {
  static constexpr auto kind = ActivationKind::linear;
  PYMLP_INLINE T value(T z) const { return z; }
  PYMLP_INLINE T slope(T) const { return T(1); }
};

template <class T>
struct Step : OfValue<T, Step<T>> {
  static constexpr auto kind = ActivationKind::step;
  T threshold;
  // NaN is neither above nor below, and stays.
  PYMLP_INLINE T value(T z) const { return z > threshold ? T(1) : z <= threshold ? T(0) : z; }
  PYMLP_INLINE T slope(T) const { return T(0); }
};

template <class T>
struct Sigmoid : OfValue<T, Sigmoid<T>> {
  static constexpr auto kind = ActivationKind::sigmoid;
  PYMLP_INLINE T value(T z) const { return math::sigmoid(z); }
  PYMLP_INLINE T slope(T a) const { return a * (T(1) - a); }
};

template <class T>
struct Tanh : OfValue<T, Tanh<T>> {
  static constexpr auto kind = ActivationKind::tanh;
  PYMLP_INLINE T value(T z) const { return math::tanh(z); }
  PYMLP_INLINE T slope(T a) const { return math::fma(-a, a, T(1)); }
};

template <class T>
struct ReLU : OfValue<T, ReLU<T>> {
  static constexpr auto kind = ActivationKind::relu;
  PYMLP_INLINE T value(T z) const { return z <= T(0) ? T(0) : z; }
  PYMLP_INLINE T slope(T a) const { return a > T(0) ? T(1) : T(0); }
};

template <class T>
struct LeakyReLU : OfInput<T, LeakyReLU<T>> {
  static constexpr auto kind = ActivationKind::leaky_relu;
  T leak, threshold;
  // A slope of 0 leaves nothing of an infinity either.
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T leaked = leak == T(0) && z == z ? T(0) : leak * z;
    return {z > threshold ? z : leaked, z > threshold ? T(1) : leak};
  }
};

template <class T>
struct ELU : OfInput<T, ELU<T>> {
  static constexpr auto kind = ActivationKind::elu;
  T alpha;
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const auto [e, less_one] = math::exp_and_expm1(z);
    return {z > T(0) ? z : alpha * less_one, z > T(0) ? T(1) : alpha * e};
  }
};

// Klambauer et al., arXiv:1706.02515.
template <class T>
struct SELU : OfInput<T, SELU<T>> {
  static constexpr auto kind = ActivationKind::selu;
  static constexpr T scale = T(1.0507009873554804934193349852946);
  static constexpr T alpha = T(1.6732632423543772848170429916717);
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const auto [e, less_one] = math::exp_and_expm1(z);
    return {z > T(0) ? scale * z : scale * alpha * less_one, z > T(0) ? scale : scale * alpha * e};
  }
};

// Barron, arXiv:1704.07483.
template <class T>
struct CELU : OfInput<T, CELU<T>> {
  static constexpr auto kind = ActivationKind::celu;
  T alpha;
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const auto [e, less_one] = math::exp_and_expm1(z / alpha);
    return {z > T(0) ? z : alpha * less_one, z > T(0) ? T(1) : e};
  }
};

// z Phi(z), Phi the normal distribution. Hendrycks & Gimpel, arXiv:1606.08415.
template <class T>
struct GELU : OfInput<T, GELU<T>> {
  static constexpr auto kind = ActivationKind::gelu;
  static constexpr T edge = T(40);
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T raised = math::at_least(-edge, z);
    const T x = z > edge ? edge : raised;
    const T phi = T(0.5) + T(0.5) * math::erf(x * T(0.70710678118654752440));
    const T density = T(0.39894228040143267794) * math::exp(T(-0.5) * x * x);
    return {raised * phi, phi + x * density};
  }
};

// The approximation of the same paper: z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2.
template <class T>
struct GELUTanh : OfInput<T, GELUTanh<T>> {
  static constexpr auto kind = ActivationKind::gelu_tanh;
  static constexpr T edge = T(40);
  static constexpr T root = T(0.79788456080286535588);
  static constexpr T cubic = T(0.044715);
  // (1 + tanh u) / 2 = sigmoid(2 u), which keeps its digits where it is small
  PYMLP_INLINE static T gate(T z) {
    return math::sigmoid(T(2) * root * z * (T(1) + cubic * (z * z)));
  }
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T raised = math::at_least(-edge, z);
    const T x = z > edge ? edge : raised;
    const T s = gate(x);
    return {raised * s, s + x * s * (T(1) - s) * (T(2) * root * (T(1) + T(3) * cubic * (x * x)))};
  }
};

// z sigmoid(z). Elfwing et al., arXiv:1702.03118.
template <class T>
struct SiLU : OfInput<T, SiLU<T>> {
  static constexpr auto kind = ActivationKind::silu;
  static constexpr T edge = T(1000);
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T raised = math::at_least(-edge, z);
    const T x = z > edge ? edge : raised;
    const T s = math::sigmoid(x);
    return {raised * s, s * (T(1) + x * (T(1) - s))};
  }
};

// z tanh(softplus(z)). Misra, arXiv:1908.08681. With w = e^z and n = w (w + 2) the tanh is
// n / (n + 2), and what it is short of 1 decays as w^-2.
template <class T>
struct Mish : OfInput<T, Mish<T>> {
  static constexpr auto kind = ActivationKind::mish;
  static constexpr T edge = T(1000);
  static constexpr T far = T(40);  // the tanh rounds to 1
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T raised = math::at_least(-edge, z);
    const T x = z > far ? far : raised;
    const T w = math::exp(x);
    const T n = w * (w + T(2));
    const T r = T(1) / (n + T(2));
    const T t = x > T(0) ? T(1) - T(2) * r : n * r;
    return {raised * t, t + x * (T(4) * (w * r) * ((w + T(1)) * r))};
  }
};

// log(1 + e^z). Dugas et al., NIPS 2000.
template <class T>
struct Softplus : OfInput<T, Softplus<T>> {
  static constexpr auto kind = ActivationKind::softplus;
  PYMLP_INLINE ValueAndSlope<T> at(T z) const { return {math::softplus(z), math::sigmoid(z)}; }
};

// z / (1 + |z|).
template <class T>
struct Softsign : OfInput<T, Softsign<T>> {
  static constexpr auto kind = ActivationKind::softsign;
  static constexpr T edge = T(1e30);  // 1 + edge is edge, and its quotient 1
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T x = math::between(-edge, edge, z);
    const T r = T(1) / (T(1) + math::abs(z));
    return {x / (T(1) + math::abs(x)), r * r};
  }
};

// z / 6 + 1/2, held in [0, 1]; z + 3 is exact where it is small.
template <class T>
struct HardSigmoid : OfInput<T, HardSigmoid<T>> {
  static constexpr auto kind = ActivationKind::hard_sigmoid;
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T line = (z + T(3)) * (T(1) / T(6));
    return {z <= T(-3)  ? T(0)
            : z >= T(3) ? T(1)
                        : line,
            z > T(-3) && z < T(3) ? T(1) / T(6) : T(0)};
  }
};

// z hard_sigmoid(z). Howard et al., arXiv:1905.02244.
template <class T>
struct HardSwish : OfInput<T, HardSwish<T>> {
  static constexpr auto kind = ActivationKind::hard_swish;
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T middle = z * (z + T(3)) * (T(1) / T(6));
    const T slope = (z + T(1.5)) * (T(1) / T(3));
    return {z <= T(-3)  ? T(0)
            : z >= T(3) ? z
                        : middle,
            z <= T(-3)  ? T(0)
            : z >= T(3) ? T(1)
                        : slope};
  }
};

// z held in [-1, 1].
template <class T>
struct HardTanh : OfValue<T, HardTanh<T>> {
  static constexpr auto kind = ActivationKind::hard_tanh;
  PYMLP_INLINE T value(T z) const { return math::between(-T(1), T(1), z); }
  PYMLP_INLINE T slope(T a) const { return a > T(-1) && a < T(1) ? T(1) : T(0); }
};

// min(max(0, z), 6). Howard et al., arXiv:1704.04861.
template <class T>
struct ReLU6 : OfValue<T, ReLU6<T>> {
  static constexpr auto kind = ActivationKind::relu6;
  PYMLP_INLINE T value(T z) const {
    const T above = z <= T(0) ? T(0) : z;
    return above > T(6) ? T(6) : above;
  }
  PYMLP_INLINE T slope(T a) const { return a > T(0) && a < T(6) ? T(1) : T(0); }
};

template <class T>
struct Exp : OfValue<T, Exp<T>> {
  static constexpr auto kind = ActivationKind::exp;
  PYMLP_INLINE T value(T z) const { return math::exp(z); }
  PYMLP_INLINE T slope(T a) const { return a; }
};

template <class T>
struct Sin : OfInput<T, Sin<T>> {
  static constexpr auto kind = ActivationKind::sin;
  static constexpr T edge = T(1 << 20);  // as far as sin and cos go
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const auto [sine, cosine] = math::sin_and_cos(math::between(-edge, edge, z));
    return {sine, cosine};
  }
};

// e^(-z^2).
template <class T>
struct Gaussian : OfInput<T, Gaussian<T>> {
  static constexpr auto kind = ActivationKind::gaussian;
  static constexpr T edge = T(100);
  PYMLP_INLINE ValueAndSlope<T> at(T z) const {
    const T a = math::exp(-(z * z));
    return {a, T(-2) * a * math::between(-edge, edge, z)};
  }
};

}  // namespace
}  // namespace pymlp

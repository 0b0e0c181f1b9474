// Element-wise activations: a = value(z) above its slope g', a function of z where the traits say
// that the derivative needs z, else of a. Included only by activation.cpp.
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
struct Linear {
  static constexpr auto kind = ActivationKind::linear;
  PYMLP_INLINE T value(T z) const { return z; }
  PYMLP_INLINE T slope(T) const { return T(1); }
};

template <class T>
struct Step {
  static constexpr auto kind = ActivationKind::step;
  T threshold;
  // NaN is neither above nor below, and stays.
  PYMLP_INLINE T value(T z) const { return z > threshold ? T(1) : z <= threshold ? T(0) : z; }
  PYMLP_INLINE T slope(T) const { return T(0); }
};

template <class T>
struct Sigmoid {
  static constexpr auto kind = ActivationKind::sigmoid;
  PYMLP_INLINE T value(T z) const { return math::sigmoid(z); }
  PYMLP_INLINE T slope(T a) const { return a * (T(1) - a); }
};

template <class T>
struct Tanh {
  static constexpr auto kind = ActivationKind::tanh;
  PYMLP_INLINE T value(T z) const { return math::tanh(z); }
  PYMLP_INLINE T slope(T a) const { return math::fma(-a, a, T(1)); }
};

template <class T>
struct ReLU {
  static constexpr auto kind = ActivationKind::relu;
  PYMLP_INLINE T value(T z) const { return z <= T(0) ? T(0) : z; }
  PYMLP_INLINE T slope(T a) const { return a > T(0) ? T(1) : T(0); }
};

template <class T>
struct LeakyReLU {
  static constexpr auto kind = ActivationKind::leaky_relu;
  T leak, threshold;
  // A slope of 0 leaves nothing of an infinity either.
  PYMLP_INLINE T value(T z) const {
    const T leaked = leak == T(0) && z == z ? T(0) : leak * z;
    return z > threshold ? z : leaked;
  }
  PYMLP_INLINE T slope(T z) const { return z > threshold ? T(1) : leak; }
};

template <class T>
struct ELU {
  static constexpr auto kind = ActivationKind::elu;
  T alpha;
  PYMLP_INLINE T value(T z) const { return z > T(0) ? z : alpha * math::expm1(z); }
  PYMLP_INLINE T slope(T z) const { return z > T(0) ? T(1) : alpha * math::exp(z); }
};

// Klambauer et al., arXiv:1706.02515.
template <class T>
struct SELU {
  static constexpr auto kind = ActivationKind::selu;
  static constexpr T scale = T(1.0507009873554804934193349852946);
  static constexpr T alpha = T(1.6732632423543772848170429916717);
  PYMLP_INLINE T value(T z) const { return z > T(0) ? scale * z : scale * alpha * math::expm1(z); }
  PYMLP_INLINE T slope(T z) const { return z > T(0) ? scale : scale * alpha * math::exp(z); }
};

// Barron, arXiv:1704.07483.
template <class T>
struct CELU {
  static constexpr auto kind = ActivationKind::celu;
  T alpha;
  PYMLP_INLINE T value(T z) const { return z > T(0) ? z : alpha * math::expm1(z / alpha); }
  PYMLP_INLINE T slope(T z) const { return z > T(0) ? T(1) : math::exp(z / alpha); }
};

// z Phi(z), Phi the normal distribution. Hendrycks & Gimpel, arXiv:1606.08415.
template <class T>
struct GELU {
  static constexpr auto kind = ActivationKind::gelu;
  static constexpr T edge = T(40);
  PYMLP_INLINE static T phi(T z) {
    return T(0.5) + T(0.5) * math::erf(z * T(0.70710678118654752440));
  }
  PYMLP_INLINE T value(T z) const {
    const T x = math::at_least(-edge, z);
    return x * phi(x);
  }
  PYMLP_INLINE T slope(T z) const {
    const T x = math::between(-edge, edge, z);
    return phi(x) + x * (T(0.39894228040143267794) * math::exp(T(-0.5) * x * x));
  }
};

// The approximation of the same paper: z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2.
template <class T>
struct GELUTanh {
  static constexpr auto kind = ActivationKind::gelu_tanh;
  static constexpr T edge = T(40);
  static constexpr T root = T(0.79788456080286535588);
  static constexpr T cubic = T(0.044715);
  // (1 + tanh u) / 2 = sigmoid(2 u), which keeps its digits where it is small
  PYMLP_INLINE static T gate(T z) {
    return math::sigmoid(T(2) * root * z * (T(1) + cubic * (z * z)));
  }
  PYMLP_INLINE T value(T z) const {
    const T x = math::at_least(-edge, z);
    return x * gate(x > edge ? edge : x);
  }
  PYMLP_INLINE T slope(T z) const {
    const T x = math::between(-edge, edge, z);
    const T s = gate(x);
    return s + x * s * (T(1) - s) * (T(2) * root * (T(1) + T(3) * cubic * (x * x)));
  }
};

// z sigmoid(z). Elfwing et al., arXiv:1702.03118.
template <class T>
struct SiLU {
  static constexpr auto kind = ActivationKind::silu;
  static constexpr T edge = T(1000);
  PYMLP_INLINE T value(T z) const {
    const T x = math::at_least(-edge, z);
    return x * math::sigmoid(x);
  }
  PYMLP_INLINE T slope(T z) const {
    const T x = math::between(-edge, edge, z);
    const T s = math::sigmoid(x);
    return s * (T(1) + x * (T(1) - s));
  }
};

// z tanh(softplus(z)). Misra, arXiv:1908.08681.
template <class T>
struct Mish {
  static constexpr auto kind = ActivationKind::mish;
  static constexpr T edge = T(1000);
  PYMLP_INLINE T value(T z) const {
    const T x = math::at_least(-edge, z);
    return x * math::tanh(math::softplus(x));
  }
  PYMLP_INLINE T slope(T z) const {
    const T x = math::between(-edge, edge, z);
    const T t = math::tanh(math::softplus(x));
    return t + x * math::sigmoid(x) * (T(1) - t) * (T(1) + t);
  }
};

// log(1 + e^z). Dugas et al., NIPS 2000.
template <class T>
struct Softplus {
  static constexpr auto kind = ActivationKind::softplus;
  PYMLP_INLINE T value(T z) const { return math::softplus(z); }
  PYMLP_INLINE T slope(T z) const { return math::sigmoid(z); }
};

// z / (1 + |z|).
template <class T>
struct Softsign {
  static constexpr auto kind = ActivationKind::softsign;
  static constexpr T edge = T(1e30);  // 1 + edge is edge, and its quotient 1
  PYMLP_INLINE T value(T z) const {
    const T x = math::between(-edge, edge, z);
    return x / (T(1) + math::abs(x));
  }
  PYMLP_INLINE T slope(T z) const {
    const T r = T(1) / (T(1) + math::abs(z));
    return r * r;
  }
};

// z / 6 + 1/2, held in [0, 1]; z + 3 is exact where it is small.
template <class T>
struct HardSigmoid {
  static constexpr auto kind = ActivationKind::hard_sigmoid;
  PYMLP_INLINE T value(T z) const {
    const T line = (z + T(3)) * (T(1) / T(6));
    return z <= T(-3) ? T(0) : z >= T(3) ? T(1) : line;
  }
  PYMLP_INLINE T slope(T z) const { return z > T(-3) && z < T(3) ? T(1) / T(6) : T(0); }
};

// z hard_sigmoid(z). Howard et al., arXiv:1905.02244.
template <class T>
struct HardSwish {
  static constexpr auto kind = ActivationKind::hard_swish;
  PYMLP_INLINE T value(T z) const {
    const T middle = z * (z + T(3)) * (T(1) / T(6));
    return z <= T(-3) ? T(0) : z >= T(3) ? z : middle;
  }
  PYMLP_INLINE T slope(T z) const {
    const T middle = (z + T(1.5)) * (T(1) / T(3));
    return z <= T(-3) ? T(0) : z >= T(3) ? T(1) : middle;
  }
};

// z held in [-1, 1].
template <class T>
struct HardTanh {
  static constexpr auto kind = ActivationKind::hard_tanh;
  PYMLP_INLINE T value(T z) const { return math::between(-T(1), T(1), z); }
  PYMLP_INLINE T slope(T a) const { return a > T(-1) && a < T(1) ? T(1) : T(0); }
};

// min(max(0, z), 6). Howard et al., arXiv:1704.04861.
template <class T>
struct ReLU6 {
  static constexpr auto kind = ActivationKind::relu6;
  PYMLP_INLINE T value(T z) const {
    const T above = z <= T(0) ? T(0) : z;
    return above > T(6) ? T(6) : above;
  }
  PYMLP_INLINE T slope(T a) const { return a > T(0) && a < T(6) ? T(1) : T(0); }
};

template <class T>
struct Exp {
  static constexpr auto kind = ActivationKind::exp;
  PYMLP_INLINE T value(T z) const { return math::exp(z); }
  PYMLP_INLINE T slope(T a) const { return a; }
};

template <class T>
struct Sin {
  static constexpr auto kind = ActivationKind::sin;
  static constexpr T edge = T(1 << 20);  // as far as sin and cos go
  PYMLP_INLINE T value(T z) const { return math::sin(math::between(-edge, edge, z)); }
  PYMLP_INLINE T slope(T z) const { return math::cos(math::between(-edge, edge, z)); }
};

// e^(-z^2).
template <class T>
struct Gaussian {
  static constexpr auto kind = ActivationKind::gaussian;
  static constexpr T edge = T(100);
  PYMLP_INLINE T value(T z) const { return math::exp(-(z * z)); }
  PYMLP_INLINE T slope(T z) const { return T(-2) * value(z) * math::between(-edge, edge, z); }
};

}  // namespace
}  // namespace pymlp

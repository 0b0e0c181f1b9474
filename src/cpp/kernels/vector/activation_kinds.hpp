// The element-wise function of each kind of activation. Included only by sources compiled once per
// ISA.
#pragma once

#include "kernels/activation.hpp"
#include "kernels/vector/activation_functions.hpp"

namespace pymlp {
namespace {

// Calls body with the element-wise function of this kind; false where the kind works on whole rows.
template <class T, class Body>
PYMLP_INLINE bool with_function(const Activation& g, Body body) {
  const T p0 = static_cast<T>(g.parameters[0]);
  const T p1 = static_cast<T>(g.parameters[1]);
  switch (g.kind) {
    case ActivationKind::linear:
      return body(Linear<T>{});
    case ActivationKind::step:
      return body(Step<T>{{}, p0});
    case ActivationKind::sigmoid:
      return body(Sigmoid<T>{});
    case ActivationKind::tanh:
      return body(Tanh<T>{});
    case ActivationKind::relu:
      return body(ReLU<T>{});
    case ActivationKind::leaky_relu:
      return body(LeakyReLU<T>{{}, p0, p1});
    case ActivationKind::elu:
      return body(ELU<T>{{}, p0});
    case ActivationKind::selu:
      return body(SELU<T>{});
    case ActivationKind::celu:
      return body(CELU<T>{{}, p0});
    case ActivationKind::gelu:
      return body(GELU<T>{});
    case ActivationKind::gelu_tanh:
      return body(GELUTanh<T>{});
    case ActivationKind::silu:
      return body(SiLU<T>{});
    case ActivationKind::mish:
      return body(Mish<T>{});
    case ActivationKind::softplus:
      return body(Softplus<T>{});
    case ActivationKind::softsign:
      return body(Softsign<T>{});
    case ActivationKind::hard_sigmoid:
      return body(HardSigmoid<T>{});
    case ActivationKind::hard_swish:
      return body(HardSwish<T>{});
    case ActivationKind::hard_tanh:
      return body(HardTanh<T>{});
    case ActivationKind::relu6:
      return body(ReLU6<T>{});
    case ActivationKind::exp:
      return body(Exp<T>{});
    case ActivationKind::sin:
      return body(Sin<T>{});
    case ActivationKind::gaussian:
      return body(Gaussian<T>{});
    case ActivationKind::softmax:
    case ActivationKind::log_softmax:
    case ActivationKind::custom:  // called by activate(), never through the table
      return false;
  }
  return false;
}

}  // namespace
}  // namespace pymlp

// The arguments of the loss kernels. Included only by loss.cpp.
#pragma once

#include "base/view.hpp"
#include "kernels/loss.hpp"

namespace pymlp {
namespace {

// No structured bindings of it: not every compiler lets a lambda capture those.
template <class T>
struct LossArguments {
  T* losses;
  MatrixView<T> gradient;
  ConstMatrixView<T> outputs;
  const Targets<T>& targets;
  const T* scale;
  const Loss& loss;
  bool in_lanes = false;  // outputs, their gradient and values of targets: (k, m)

  PYMLP_INLINE index_t n_samples() const { return in_lanes ? outputs.cols : outputs.rows; }
  PYMLP_INLINE index_t n_outputs() const { return in_lanes ? outputs.rows : outputs.cols; }
};

// A target y becomes (1 - smoothing) y + smoothing / classes. Szegedy et al., arXiv:1512.00567.
template <class T>
struct Smoothing {
  T kept, added;

  PYMLP_INLINE Smoothing(const Loss& loss, index_t classes)
      : kept(static_cast<T>(1.0 - loss.label_smoothing)),
        added(static_cast<T>(loss.label_smoothing / static_cast<double>(classes))) {}
};

inline constexpr index_t kYesOrNo = 2;  // the classes of a single output

}  // namespace
}  // namespace pymlp

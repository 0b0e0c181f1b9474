// User callbacks: activations and losses that the core only knows how to call.
#pragma once

#include "base/view.hpp"

namespace pymlp {

template <class T>
struct Targets;

class UserActivation {
 public:
  virtual ~UserActivation() = default;
  // a = g(z); dz = da * g'(z): (m, n) all. May throw.
  virtual void forward(MatrixView<float> a, ConstMatrixView<float> z) = 0;
  virtual void forward(MatrixView<double> a, ConstMatrixView<double> z) = 0;
  virtual void backward(MatrixView<float> dz, ConstMatrixView<float> da,
                        ConstMatrixView<float> z) = 0;
  virtual void backward(MatrixView<double> dz, ConstMatrixView<double> da,
                        ConstMatrixView<double> z) = 0;
};

class UserLoss {
 public:
  virtual ~UserLoss() = default;
  // losses (m,) and gradient (m, k) = scale_i d(loss_i)/da. May throw.
  virtual void operator()(float* losses, MatrixView<float> gradient, ConstMatrixView<float> a,
                          const Targets<float>& targets, const float* scale) = 0;
  virtual void operator()(double* losses, MatrixView<double> gradient, ConstMatrixView<double> a,
                          const Targets<double>& targets, const double* scale) = 0;
};

}  // namespace pymlp

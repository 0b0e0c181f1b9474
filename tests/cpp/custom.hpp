// User functions: an activation and a loss of the core's once more, with something to be done
// before each call.
#pragma once

#include <cmath>
#include <functional>
#include <utility>

#include "kernels/loss.hpp"
#include "kernels/user_function.hpp"

namespace pymlp::test {

using BeforeCall = std::function<void()>;

class CustomSoftsign final : public UserActivation {
 public:
  explicit CustomSoftsign(BeforeCall before = [] {}) : before_(std::move(before)) {}

  void forward(MatrixView<float> a, ConstMatrixView<float> z) override { values(a, z); }
  void forward(MatrixView<double> a, ConstMatrixView<double> z) override { values(a, z); }
  void backward(MatrixView<float> dz, ConstMatrixView<float> da,
                ConstMatrixView<float> z) override {
    slopes(dz, da, z);
  }
  void backward(MatrixView<double> dz, ConstMatrixView<double> da,
                ConstMatrixView<double> z) override {
    slopes(dz, da, z);
  }

  Activation activation() { return {ActivationKind::custom, {}, this}; }

 private:
  template <class T>
  void values(MatrixView<T> a, ConstMatrixView<T> z) {
    before_();
    for (index_t i = 0; i < z.rows; ++i) {
      for (index_t j = 0; j < z.cols; ++j) {
        const T x = z.row(i)[j];
        a.row(i)[j] = x / (T(1) + std::abs(x));
      }
    }
  }

  template <class T>
  void slopes(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> z) {
    before_();
    for (index_t i = 0; i < z.rows; ++i) {
      for (index_t j = 0; j < z.cols; ++j) {
        const T r = T(1) / (T(1) + std::abs(z.row(i)[j]));
        dz.row(i)[j] = da.row(i)[j] * (r * r);
      }
    }
  }

  BeforeCall before_;
};

// Of a single output.
class CustomSquaredError final : public UserLoss {
 public:
  explicit CustomSquaredError(BeforeCall before = [] {}) : before_(std::move(before)) {}

  void operator()(float* losses, MatrixView<float> gradient, ConstMatrixView<float> a,
                  const Targets<float>& targets, const float* scale) override {
    evaluate(losses, gradient, a, targets, scale);
  }
  void operator()(double* losses, MatrixView<double> gradient, ConstMatrixView<double> a,
                  const Targets<double>& targets, const double* scale) override {
    evaluate(losses, gradient, a, targets, scale);
  }

  Loss loss() { return {.kind = LossKind::custom, .custom = this}; }

 private:
  template <class T>
  void evaluate(T* losses, MatrixView<T> gradient, ConstMatrixView<T> a, const Targets<T>& targets,
                const T* scale) {
    before_();
    for (index_t i = 0; i < a.rows; ++i) {
      const T difference = a.row(i)[0] - targets.values.row(i)[0];
      losses[i] = difference * difference;
      gradient.row(i)[0] = scale[i] * (T(2) * difference);
    }
  }

  BeforeCall before_;
};

}  // namespace pymlp::test

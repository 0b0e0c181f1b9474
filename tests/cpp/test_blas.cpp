// The products' other arithmetic: what BLAS promises beside its numbers.
#include <doctest/doctest.h>

#include "kernel_numbers.hpp"
#include "kernels/product.hpp"

using namespace pymlp;
using namespace pymlp::test;

TEST_CASE_TEMPLATE(
    "gradients of weights that are accumulated over slices sum to those of the batch", T, float,
    double) {
  constexpr index_t kSamples = 40, kCut = 13, kIn = 9, kOut = 5;
  Random random(1, 0);
  const Matrix<T> x({kSamples, kIn, kIn}, Kind::ordinary, random);
  const Matrix<T> dz({kSamples, kOut, kOut}, Kind::ordinary, random);
  Matrix<T> whole({kIn + 1, kOut, kOut}, Kind::any_bits, random);
  Matrix<T> sliced({kIn + 1, kOut, kOut}, Kind::any_bits, random);
  const auto gradient = [&](Matrix<T>& to, index_t first, index_t count, bool accumulate) {
    const MatrixView<T> dw = to.view().slice(0, kIn);
    product::weights_gradient<T>(Arithmetic::blas, dw, dw.row(kIn), x.view().slice(first, count),
                                 dz.view().slice(first, count), 0, accumulate);
  };
  gradient(whole, 0, kSamples, false);
  gradient(sliced, 0, kCut, false);
  gradient(sliced, kCut, kSamples - kCut, true);
  for (std::size_t i = 0; i < whole.numbers().size(); ++i) {
    const double expected = whole.numbers()[i];
    CHECK(std::isfinite(expected));
    CHECK(sliced.numbers()[i] == doctest::Approx(expected).epsilon(sizeof(T) == 4 ? 1e-4 : 1e-12));
  }
}

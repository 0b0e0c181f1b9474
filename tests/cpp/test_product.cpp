// Products: every element is one chain of fused multiply-adds, whatever tile it lies in and on
// whichever instruction set; nothing is written or read where it should not be.
#include "product_cases.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <utility>

#include "kernel_cases.hpp"
#include "kernels/product.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// The chains of all corners of the largest product, made once.
template <class T>
class Chains {
 public:
  Chains(const Operands<T>& of, const ProductSize& largest, index_t k) : cols_(largest.cols) {
    for (const bool with_start : {false, true}) {
      for (index_t i = 0; i < largest.rows; ++i) {
        for (index_t j = 0; j < cols_; ++j) {
          chains_[with_start].push_back(chain(of, i, j, k, with_start));
        }
      }
    }
  }
  std::vector<T> corner(const ProductSize& size, bool with_start) const {
    std::vector<T> result;
    for (index_t i = 0; i < size.rows; ++i) {
      const auto row = chains_[with_start].begin() + i * cols_;
      result.insert(result.end(), row, row + size.cols);
    }
    return result;
  }

 private:
  index_t cols_;
  std::vector<T> chains_[2];
};

template <class T>
Outcome bits_of(const std::vector<T>& numbers) {
  Outcome outcome;
  outcome.add(numbers);
  return outcome;
}

template <class T>
void check_product(const Operands<T>& of, const Chains<T>& chains, const ProductSize& size) {
  for (const Isa isa : supported_isas()) {
    const Kernels<T> table = kernels_of<T>(isa);
    for (const Form form : kForms) {
      const Product<T> product(of, size, form);
      const Outcome actual = bits_of(product.run(table));
      if (actual == bits_of(chains.corner(size, product.with_start()))) continue;
      FAIL_CHECK(name_of(isa), ", form ", static_cast<int>(form), ": ", size.rows, " x ", size.k,
                 " x ", size.cols);
    }
  }
}

template <class T>
void check_products(const std::vector<index_t>& all_rows, const std::vector<index_t>& all_cols,
                    const std::vector<index_t>& all_k, Kind kind) {
  const ProductSize largest{all_rows.back(), all_cols.back(), all_k.back()};
  const Operands<T> of(largest, kind, 7);
  for (const index_t k : all_k) {
    const Chains<T> chains(of, largest, k);
    for (const index_t rows : all_rows) {
      for (const index_t cols : all_cols) check_product<T>(of, chains, {rows, cols, k});
    }
  }
}

std::vector<index_t> from_one_to(index_t last) {
  std::vector<index_t> result;
  for (index_t i = 1; i <= last; ++i) result.push_back(i);
  return result;
}

}  // namespace

TEST_SUITE_BEGIN("every instruction set");

TEST_CASE_TEMPLATE("products are chains of fused multiply-adds in every tile", T, float, double) {
#if defined(PYMLP_SANITIZED)
  const std::vector<index_t> some_k{0, 1, 3, 10};
#else
  const std::vector<index_t> some_k{0, 1, 2, 3, 4, 7, 16, 17, 40};
#endif
  check_products<T>(from_one_to(26), from_one_to(70), some_k, Kind::ordinary);
}

TEST_CASE_TEMPLATE("so they are in the wide tiles of few rows", T, float, double) {
  const std::vector<index_t> cols{127, 128, 129, 144, 160, 191, 192, 255, 256, 257, 300};
  check_products<T>(from_one_to(5), cols, {1, 5, 40}, Kind::ordinary);
}

TEST_CASE_TEMPLATE("so they are where tiles read a copy of rows that are far apart", T, float,
                   double) {
  check_products<T>({18, 19, 36, 37, 50}, {255, 256, 257, 288, 300}, {1, 7, 257}, Kind::ordinary);
}

TEST_CASE_TEMPLATE("so they are of numbers at the edges", T, float, double) {
  for (const Kind kind : {Kind::any_bits, Kind::with_specials}) {
    check_products<T>({1, 2, 3, 5, 12, 13}, {1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 33, 64, 130},
                      {1, 3, 9}, kind);
  }
}

TEST_CASE_TEMPLATE("long sums are chains of 256 terms", T, float, double) {
  check_products<T>({1, 4, 13}, {1, 10, 33}, {784, 4097}, Kind::ordinary);
}

TEST_SUITE_END();

namespace {

// x (samples, n_in) as a user's array, nothing behind it; dz (samples, n_out) with padded rows.
template <class T>
struct LayerGradient {
  LayerGradient(index_t samples, index_t n_in, index_t n_out)
      : of({n_in, n_out, samples}, Kind::ordinary, 11),
        x(samples * n_in),
        dz((samples - 1) * padded_stride<T>(n_out) + padded_columns<T>(n_out)),
        x_view(x.data(), samples, n_in, n_in),
        dz_view(dz.data(), samples, n_out, padded_stride<T>(n_out)) {
    for (index_t s = 0; s < samples; ++s) {
      for (index_t i = 0; i < n_in; ++i) x.data()[s * n_in + i] = of.a_at(i, s);
      for (index_t j = 0; j < n_out; ++j) dz.data()[s * dz_view.stride + j] = of.b_at(s, j);
    }
  }

  // Of the inputs from `first` on, and of the biases behind the last, in memory of exactly that
  // size. The batch is cut into slices of so many samples.
  std::vector<T> weights_gradient(index_t first, index_t count, bool db_apart = false,
                                  index_t slice = std::numeric_limits<index_t>::max()) {
    const index_t n_out = dz_view.cols;
    const bool last = first + count == x_view.cols;
    Exact<T> dw((count + (last && !db_apart ? 1 : 0)) * n_out);
    Exact<T> apart(last && db_apart ? n_out : 0);
    T* db = !last ? nullptr : db_apart ? apart.data() : dw.data() + count * n_out;
    for (index_t s = 0; s < x_view.rows; s += slice) {
      const index_t samples = std::min(slice, x_view.rows - s);
      product::weights_gradient<T>(Arithmetic::exact, {dw.data(), count, n_out, n_out}, db,
                                   x_view.slice(s, samples), dz_view.slice(s, samples), first,
                                   s > 0);
    }
    std::vector<T> result(dw.data(), dw.data() + dw.size());
    result.insert(result.end(), apart.data(), apart.data() + apart.size());
    return result;
  }
  T bias_gradient(index_t j) const {
    T sum = 0;
    for (index_t begin = 0; begin < of.k; begin += kChain) {
      T chain = 0;
      for (index_t s = begin; s < std::min(of.k, begin + kChain); ++s) chain += of.b_at(s, j);
      sum = begin == 0 ? chain : sum + chain;
    }
    return sum;
  }
  std::vector<T> expected(index_t first, index_t count) const {
    std::vector<T> result;
    for (index_t i = first; i < first + count; ++i) {
      for (index_t j = 0; j < dz_view.cols; ++j) result.push_back(chain(of, i, j, of.k, false));
    }
    const bool last = first + count == x_view.cols;
    for (index_t j = 0; last && j < dz_view.cols; ++j) result.push_back(bias_gradient(j));
    return result;
  }

  Operands<T> of;
  Exact<T> x;
  Exact<T> dz;
  ConstMatrixView<T> x_view;
  ConstMatrixView<T> dz_view;
};

}  // namespace

TEST_CASE_TEMPLATE("gradients of weights are chains over the samples, in blocks too", T, float,
                   double) {
  for (const index_t n_out : {1, 2, 3, 4, 5, 8, 9, 20, 33, 36}) {
    for (const index_t n_in : {1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200}) {
      for (const index_t samples : {1, 7, 50, 300}) {
        INFO(samples, " samples, ", n_in, " x ", n_out);
        LayerGradient<T> layer(samples, n_in, n_out);
        CHECK(same_bits(layer.weights_gradient(0, n_in), layer.expected(0, n_in)));
        const index_t half = n_in / 2;
        CHECK(same_bits(layer.weights_gradient(half, n_in - half),
                        layer.expected(half, n_in - half)));
        if (half > 0) CHECK(same_bits(layer.weights_gradient(0, half), layer.expected(0, half)));
      }
    }
  }
}

TEST_CASE_TEMPLATE("a batch cut at multiples of 256 samples and accumulated gives the same bits", T,
                   float, double) {
  for (const index_t n_out : {1, 2, 4, 5, 8, 9, 20, 33, 36, 70}) {
    for (const index_t n_in : {1, 2, 7, 15, 16, 17, 33, 64, 128, 129, 200}) {
      for (const index_t samples : {257, 512, 700}) {
        LayerGradient<T> layer(samples, n_in, n_out);
        const index_t half = n_in / 2;
        for (const bool db_apart : {false, true}) {
          INFO(samples, " samples, ", n_in, " x ", n_out, db_apart ? ", db apart" : "");
          const std::vector<T> expected = layer.expected(0, n_in);
          CHECK(same_bits(layer.weights_gradient(0, n_in, db_apart), expected));
          CHECK(same_bits(layer.weights_gradient(0, n_in, db_apart, kChain), expected));
          CHECK(same_bits(layer.weights_gradient(0, n_in, db_apart, 2 * kChain), expected));
          CHECK(same_bits(layer.weights_gradient(half, n_in - half, db_apart, kChain),
                          layer.expected(half, n_in - half)));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("gradients of inputs are chains over the outputs", T, float, double) {
  for (const index_t n_out : {1, 3, 10, 64}) {
    for (const index_t n_in : {1, 5, 16, 17, 33, 70}) {
      const Operands<T> of({13, n_in, n_out}, Kind::ordinary, 12);
      Exact<T> w(n_in * n_out);
      for (index_t i = 0; i < n_in; ++i) {
        for (index_t j = 0; j < n_out; ++j) w.data()[i * n_out + j] = of.b_at(j, i);
      }
      const ConstMatrixView<T> weights(w.data(), n_in, n_out, n_out);
      Exact<T> transposed(product::transposed_size<T>(Arithmetic::exact, n_in, n_out));
      product::transpose<T>(transposed.data(), weights, 0, n_in);
      Exact<T> dx(13 * n_in);
      product::input_gradient<T>(Arithmetic::exact, {dx.data(), 13, n_in, n_in},
                                 {of.a.data(), 13, n_out, n_out}, {weights, transposed.data()},
                                 false);
      std::vector<T> expected;
      for (index_t s = 0; s < 13; ++s) {
        for (index_t i = 0; i < n_in; ++i) expected.push_back(chain(of, s, i, n_out, false));
      }
      CHECK(same_bits(std::vector<T>(dx.data(), dx.data() + dx.size()), expected));
    }
  }
}

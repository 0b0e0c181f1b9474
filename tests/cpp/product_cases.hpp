// Products as the network asks for them, in memory of exactly the size that is promised to them:
// sanitizers see what is read behind it, and NaN stands wherever a number may be read but not
// count.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "kernel_numbers.hpp"
#include "kernels/table.hpp"

namespace pymlp::test {

// How the operands of a product lie.
enum class Form {
  plain,       // x w + biases: rows of both follow each other
  spaced,      // rows of all three at a distance
  transposed,  // x^T dz: the first operand goes down columns
  panels,      // dz w^T: the second one as transpose() writes it
};
inline constexpr Form kForms[] = {Form::plain, Form::spaced, Form::transposed, Form::panels};

struct ProductSize {
  index_t rows, cols, k;
};

// Memory that ends where it should, so that a sanitizer knows. Full of NaN.
template <class T>
class Exact {
 public:
  explicit Exact(index_t size) : size_(size), memory_(new T[static_cast<std::size_t>(size)]) {
    std::fill_n(memory_.get(), size, std::numeric_limits<T>::quiet_NaN());
  }
  T* data() { return memory_.get(); }
  index_t size() const { return size_; }

 private:
  index_t size_;
  std::unique_ptr<T[]> memory_;
};

// Numbers of the largest product: smaller ones are made of its corners.
template <class T>
struct Operands {
  Operands(const ProductSize& largest, Kind kind, std::uint64_t seed) : k(largest.k) {
    Random random(seed, 0);
    cols = largest.cols;
    a = draw<T>(largest.rows * k, kind, random);
    b = draw<T>(k * cols, kind, random);
    start = draw<T>(cols, kind, random);
  }
  T a_at(index_t i, index_t p) const { return a[static_cast<std::size_t>(i * k + p)]; }
  T b_at(index_t p, index_t j) const { return b[static_cast<std::size_t>(p * cols + j)]; }

  index_t k;
  index_t cols;
  std::vector<T> a;
  std::vector<T> b;
  std::vector<T> start;
};

// The judge: chains in ascending order, each link rounded once, added in order.
template <class T>
T chain(const Operands<T>& of, index_t i, index_t j, index_t k, bool with_start) {
  T sum = 0;
  for (index_t first = 0; first == 0 || first < k; first += kChain) {
    T chain = first == 0 && with_start ? of.start[static_cast<std::size_t>(j)] : T(0);
    for (index_t p = first; p < std::min(k, first + kChain); ++p) {
      chain = std::fma(of.a_at(i, p), of.b_at(p, j), chain);
    }
    sum = first == 0 ? chain : sum + chain;
  }
  return sum;
}

template <class T>
class Product {
 public:
  Product(const Operands<T>& of, const ProductSize& size, Form form)
      : of_(of), size_(size), form_(form) {}

  // c (rows, cols) without what lies between its rows; empty where anything else was written.
  std::vector<T> run(const Kernels<T>& table) const {
    Exact<T> a = first_operand();
    Exact<T> b = second_operand(table);
    Exact<T> start = starts();
    const index_t stride = size_.cols + gap();
    const index_t inside = size_.rows * stride;
    Exact<T> c(inside + 2 * kGuard);
    std::fill_n(c.data(), c.size(), kUntouched);
    table.multiply({c.data() + kGuard, size_.rows, size_.cols, stride}, strided(a.data()), size_.k,
                   panels(b.data(), table), start.size() > 0 ? start.data() : nullptr, false);
    const auto untouched = [](T x) { return x == kUntouched; };
    if (!std::all_of(c.data(), c.data() + kGuard, untouched)) return {};
    if (!std::all_of(c.data() + kGuard + inside, c.data() + c.size(), untouched)) return {};
    std::vector<T> result;
    for (index_t i = 0; i < size_.rows; ++i) {
      const T* row = c.data() + kGuard + i * stride;
      result.insert(result.end(), row, row + size_.cols);
    }
    return result;
  }

  bool with_start() const { return form_ == Form::plain || form_ == Form::spaced; }

 private:
  static constexpr index_t kGuard = 128;
  static constexpr T kUntouched = T(-12345);

  index_t gap() const { return form_ == Form::spaced ? 3 + size_.k % 9 : 0; }

  // Nothing behind the last number, nor between rows, may be read.
  Exact<T> first_operand() const {
    const auto [rows, cols, k] = size_;
    Exact<T> a(form_ == Form::transposed ? rows * k
                                         : std::max<index_t>(rows * (k + gap()) - gap(), 0));
    const Strided<T> at = strided(a.data());
    for (index_t i = 0; i < rows; ++i) {
      for (index_t p = 0; p < k; ++p) {
        a.data()[i * at.row_stride + p * at.column_stride] = of_.a_at(i, p);
      }
    }
    return a;
  }
  Strided<T> strided(const T* data) const {
    if (form_ == Form::transposed) return {data, 1, size_.rows};
    return {data, size_.k + gap(), 1};
  }

  // Whole vectors are read, up to the padded columns of the last row.
  Exact<T> second_operand(const Kernels<T>& table) const {
    if (form_ == Form::panels) return second_operand_in_panels(table);
    const auto [rows, cols, k] = size_;
    const index_t stride = cols + gap();
    Exact<T> b(k > 0 ? (k - 1) * stride + padded_columns<T>(cols) : 0);
    for (index_t p = 0; p < k; ++p) {
      for (index_t j = 0; j < cols; ++j) b.data()[p * stride + j] = of_.b_at(p, j);
    }
    return b;
  }
  Exact<T> second_operand_in_panels(const Kernels<T>& table) const {
    const auto [rows, cols, k] = size_;
    Exact<T> w(cols * k);
    for (index_t j = 0; j < cols; ++j) {
      for (index_t p = 0; p < k; ++p) w.data()[j * k + p] = of_.b_at(p, j);
    }
    const index_t width = table.panel_width;
    Exact<T> b((cols + width - 1) / width * width * k);
    // In two parts, as blocks of weights are taken over one by one.
    const ConstMatrixView<T> view(w.data(), cols, k, k);
    table.transpose(b.data(), view, cols / 2, cols - cols / 2);
    table.transpose(b.data(), view, 0, cols / 2);
    return b;
  }
  Panels<T> panels(const T* data, const Kernels<T>& table) const {
    const index_t width = table.panel_width;
    if (form_ == Form::panels) return {data, width, width * size_.k};
    return {data, size_.cols + gap(), width};
  }

  Exact<T> starts() const {
    Exact<T> start(with_start() ? padded_columns<T>(size_.cols) : 0);
    if (start.size() > 0) std::copy_n(of_.start.data(), size_.cols, start.data());
    return start;
  }

  const Operands<T>& of_;
  ProductSize size_;
  Form form_;
};

}  // namespace pymlp::test

// Reductions: sums, column sums, sums of arenas, and whether all numbers are finite.
#include "kernels/table.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/math/math.hpp"

namespace pymlp {
namespace {

// In the order of products: chains of kChain samples, added in order.
template <class T>
void column_sums(T* sums, ConstMatrixView<T> d, bool accumulate) {
  for (index_t first = 0; first < d.cols; first += kLanes) {
    const index_t cols = first + kLanes < d.cols ? kLanes : d.cols - first;
    for (index_t i = 0; i < d.rows;) {
      const bool begins = i == 0 && !accumulate;
      const index_t end = i + kChain < d.rows ? i + kChain : d.rows;
      T chain[kLanes] = {};
      for (; i < end; ++i) {
        const T* di = d.row(i) + first;
        for (index_t j = 0; j < cols; ++j) chain[j] += di[j];
      }
      for (index_t j = 0; j < cols; ++j) {
        sums[first + j] = begins ? chain[j] : sums[first + j] + chain[j];
      }
    }
  }
}

template <class T>
void add_arenas(T* sum, const T* addends, index_t count, index_t distance, index_t n) {
  for (index_t c = 0; c < count; ++c) {
    const T* addend = addends + c * distance;
    PYMLP_VECTOR_LOOP
    for (index_t i = 0; i < n; ++i) sum[i] += addend[i];
  }
}

// Sums of all numbers run in double, 16 side by side.
template <class T>
double sum(const T* x, index_t n) {
  const auto add = [](double a, double b) { return a + b; };
  return reduce(x, n, 0.0, add, add);
}

template <class T>
double sum_of_squares(const T* x, index_t n) {
  const auto take = [](double sum, double value) { return sum + value * value; };
  return reduce(x, n, 0.0, take, [](double a, double b) { return a + b; });
}

template <class T>
double sum_of_magnitudes(const T* x, index_t n) {
  const auto take = [](double sum, double value) { return sum + math::abs(value); };
  return reduce(x, n, 0.0, take, [](double a, double b) { return a + b; });
}

// x - x is 0 for every finite x, and NaN otherwise, which stays in the sum.
template <class T>
bool all_finite(const T* values, index_t n) {
  const auto take = [](T sum, T x) { return sum + (x - x); };
  const auto add = [](T a, T b) { return a + b; };
  return reduce(values, n, T(0), take, add) == T(0);
}

}  // namespace

template <Isa isa, class T>
void add_reductions(Kernels<T>& table) {
  table.column_sums = column_sums<T>;
  table.add_arenas = add_arenas<T>;
  table.sum = sum<T>;
  table.sum_of_squares = sum_of_squares<T>;
  table.sum_of_magnitudes = sum_of_magnitudes<T>;
  table.all_finite = all_finite<T>;
}

template void add_reductions<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_reductions<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

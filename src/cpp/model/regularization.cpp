#include "model/regularization.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/team.hpp"
#include "kernels/table.hpp"
#include "ops/packed_weights.hpp"

namespace pymlp {

template <class T>
double penalize(const Program& program, const Stretch& stretch, const Regularization& options,
                const T* parameters, T* gradient) {
  if (!options.has_penalty()) return 0.0;
  const Range weights = weights_of(program, stretch);
  const T* w = parameters + weights.first;
  const auto [l1, l2] = std::pair(options.l1, options.l2);
  kernels<T>().add_penalty(gradient + weights.first, w, weights.count, static_cast<T>(l1),
                           static_cast<T>(l2));
  // 0 times a sum of squares that overflows is no number.
  const double magnitudes = l1 > 0.0 ? l1 * kernels<T>().sum_of_magnitudes(w, weights.count) : 0.0;
  return l2 > 0.0 ? magnitudes + 0.5 * l2 * kernels<T>().sum_of_squares(w, weights.count)
                  : magnitudes;
}

// Of a gradient whose squares overflow: of the squares of its parts in the largest.
template <class T>
double norm_of_huge(const Plan& plan, const T* gradient, std::size_t stretches) {
  const auto over_all = [&](double result, auto take) {
    for (std::size_t s = 0; s < stretches; ++s) {
      for (const Range& range : plan.ranges()[s]) {
        for (index_t i = range.first; i < range.end(); ++i) {
          result = take(result, std::abs(static_cast<double>(gradient[i])));
        }
      }
    }
    return result;
  };
  const double largest = over_all(0.0, [](double a, double b) { return std::max(a, b); });
  if (std::isinf(largest)) return largest;
  const auto add = [largest](double sum, double x) { return sum + (x / largest) * (x / largest); };
  return largest * std::sqrt(over_all(0.0, add));
}

template <class T>
double gradient_norm(const Plan& plan, const T* gradient, std::span<double> squares, int threads) {
  parallel_for(std::ssize(squares), threads, [&](index_t s, index_t) {
    const auto number = static_cast<std::size_t>(s);
    squares[number] = 0.0;
    for (const Range& range : plan.ranges()[number]) {
      squares[number] += kernels<T>().sum_of_squares(gradient + range.first, range.count);
    }
  });
  const double sum = std::accumulate(squares.begin(), squares.end(), 0.0);
  return std::isinf(sum) ? norm_of_huge(plan, gradient, squares.size()) : std::sqrt(sum);
}

double clipped_share(double norm, const Regularization& options) {
  return options.clip_norm > 0.0 ? std::min(1.0, options.clip_norm / (norm + 1e-6)) : 1.0;
}

template <class T>
void limit_norms(const Program& program, const Regularization& options, T* parameters, T* scratch) {
  for (index_t l = 0; l < program.n_layers(); ++l) {
    if (program.dense(l).frozen) continue;
    kernels<T>().limit_column_norms(weights_of(program.dense(l), parameters),
                                    static_cast<T>(options.max_norm), scratch);
  }
}

template double penalize(const Program&, const Stretch&, const Regularization&, const float*,
                         float*);
template double penalize(const Program&, const Stretch&, const Regularization&, const double*,
                         double*);
template double gradient_norm(const Plan&, const float*, std::span<double>, int);
template double gradient_norm(const Plan&, const double*, std::span<double>, int);
template void limit_norms(const Program&, const Regularization&, float*, float*);
template void limit_norms(const Program&, const Regularization&, double*, double*);

}  // namespace pymlp

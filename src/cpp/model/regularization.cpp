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
  return l1 * kernels<T>().sum_of_magnitudes(w, weights.count) +
         0.5 * l2 * kernels<T>().sum_of_squares(w, weights.count);
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
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
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

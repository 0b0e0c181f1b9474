// Batch norm: y = gain * xhat + shift, xhat = (z - mean) / sqrt(variance + epsilon) over the rows
// of the batch in training, by running means and variances else. Shapes: z, xhat, y (m, n); gain,
// shift, running mean and variance (n,). Ioffe and Szegedy, arXiv:1502.03167.
//
// In training a batch waits twice, for the sums of all of its blocks: on the way forth for mean and
// variance, on the way back for the sums of dy and of dy xhat, which are also the gradients of
// shift and gain. Sums of blocks are added in the order of the blocks.
#pragma once

#include <string_view>

#include "kernels/table.hpp"
#include "ops/norm.hpp"

namespace pymlp {

struct BatchNorm : NormDefaults {
  static constexpr std::string_view name = "batch_norm";
  static constexpr double momentum = 0.1;

  static Tensors parameters(const Operation& op) {
    return {{"gain", TensorKind::norm, 0, op.n_out, 1.0}, {"shift", TensorKind::norm, 0, op.n_out}};
  }
  static Tensors states(const Operation& op) {
    return {{"running_mean", TensorKind::state, 0, op.n_out},
            {"running_variance", TensorKind::state, 0, op.n_out, 1.0}};
  }
  static bool joins(const Operation& op) { return !op.frozen; }
  // Behind the sums stand the number of rows, and the first row.
  static index_t sums_of_a_block(const Operation& op) { return 3 * op.n_out + 1; }
  // Mean and variance; from the way back the means of dy xhat and of dy.
  static index_t sums_of_a_batch(const Operation& op) { return 4 * op.n_out; }

  // ---- forth ------------------------------------------------------------------------------------
  // Of a block: the sum of z less its first row, and that of squared differences from the block's
  // mean.
  template <class T>
  static void measure(const Operation& op, const Block<T>& block) {
    T* sums = block.sums_of(op);
    kernels<T>().column_moments(sums, sums + op.n_out, block.input(op));
    sums[2 * op.n_out] = static_cast<T>(block.rows());
    std::copy_n(block.input(op).row(0), op.n_out, sums + 2 * op.n_out + 1);
  }

  // Chan et al., "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
  template <class T>
  static void join(const Operation& op, const Block<T>& batch) {
    T *mean = batch.batch_sums_of(op), *variance = mean + op.n_out;
    const auto rows = static_cast<double>(batch.rows());
    for (index_t j = 0; j < op.n_out; ++j) {
      double sum = 0.0, squares = 0.0;
      for (index_t b = 0; b < batch.blocks; ++b) {
        const Moments of(op, batch, b, j);
        sum += of.rows * of.mean;
      }
      for (index_t b = 0; b < batch.blocks; ++b) {
        const Moments of(op, batch, b, j);
        const double apart = of.mean - sum / rows;
        squares += of.squares + of.rows * (apart * apart);
      }
      mean[j] = static_cast<T>(sum / rows);
      variance[j] = static_cast<T>(squares / rows);
    }
  }

  // On the way back xhat is read in the place of z.
  template <class T>
  static void forward(const Operation& op, const Block<T>& block) {
    const bool keep = block.goes_back();
    const T* mean = statistics(op, block);
    kernels<T>().column_norm(block.output(op), keep ? block.value(op.input) : MatrixView<T>{},
                             block.input(op), mean, mean + op.n_out, gain(op, block),
                             static_cast<T>(kNormEpsilon));
  }

  // ---- back -------------------------------------------------------------------------------------
  template <class T>
  static void measure_back(const Operation& op, const Block<T>& block) {
    kernels<T>().column_norm_sums(block.sums_of(op), block.output_gradient(op), block.input(op));
  }

  template <class T>
  static void join_back(const Operation& op, const Block<T>& batch) {
    add_means(batch.batch_sums_of(op) + 2 * op.n_out, 2 * op.n_out, op, batch);
  }

  // dz, in the place of dy.
  template <class T>
  static void backward(const Operation& op, const Block<T>& block) {
    const bool of_batch = has_joined(op, block);
    if (!of_batch) measure_back(op, block);
    kernels<T>().column_norm_backward(block.input_gradient(op), block.input(op),
                                      of_batch ? block.batch_sums_of(op) + 2 * op.n_out : nullptr,
                                      statistics(op, block) + op.n_out, gain(op, block),
                                      static_cast<T>(kNormEpsilon));
  }

  // ---- the running statistics, once a step is taken ---------------------------------------------
  template <class T>
  static void update_states(const Operation& op, const Block<T>& batch, T* arena) {
    const T *mean = batch.batch_sums_of(op), *variance = mean + op.n_out;
    T *running_mean = arena + op.first_state, *running_variance = running_mean + op.n_out;
    const auto rows = static_cast<double>(batch.rows());
    const T share = static_cast<T>(momentum), unbiased = static_cast<T>(rows / (rows - 1.0));
    for (index_t j = 0; j < op.n_out; ++j) {
      running_mean[j] = (T(1) - share) * running_mean[j] + share * mean[j];
      running_variance[j] = (T(1) - share) * running_variance[j] + share * (unbiased * variance[j]);
    }
  }

 private:
  // What measure() left of block b's unit j.
  struct Moments {
    template <class T>
    Moments(const Operation& op, const Block<T>& batch, index_t b, index_t j) {
      const index_t n = op.n_out;
      const T* sums = batch.sums_of(op) + b * batch.sums_of_a_block;
      rows = static_cast<double>(sums[2 * n]);
      mean = static_cast<double>(sums[2 * n + 1 + j]) + static_cast<double>(sums[j]) / rows;
      squares = static_cast<double>(sums[n + j]);
    }
    double rows, mean, squares;
  };

  template <class T>
  static bool has_joined(const Operation& op, const Block<T>& block) {
    return block.batch_sums != nullptr && joins(op);
  }

  // Means, and behind them variances: those of the batch, or those that run along.
  template <class T>
  static const T* statistics(const Operation& op, const Block<T>& block) {
    return has_joined(op, block) ? block.batch_sums_of(op) : block.parameters + op.first_state;
  }

  // The first n of the blocks' sums, over the rows of the batch.
  template <class T>
  static void add_means(T* means, index_t n, const Operation& op, const Block<T>& batch) {
    std::copy_n(batch.sums_of(op), n, means);
    kernels<T>().add_arenas(means, batch.sums_of(op) + batch.sums_of_a_block, batch.blocks - 1,
                            batch.sums_of_a_block, n);
    for (index_t j = 0; j < n; ++j) means[j] /= static_cast<T>(batch.rows());
  }
};

}  // namespace pymlp

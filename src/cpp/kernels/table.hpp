// The table of vector kernels: one source each, compiled once per instruction set, chosen at run
// time.
#pragma once

#include "base/cpu.hpp"
#include "base/view.hpp"
#include "kernels/activation.hpp"
#include "kernels/elementary.hpp"
#include "kernels/loss.hpp"
#include "kernels/optimizer_rule.hpp"
#include "kernels/panels.hpp"

namespace pymlp {

inline constexpr index_t kDrawsAtOnce = 32;

template <class T>
struct Kernels {
  // c (m, n) = start + a (m, k) b (k, n), start (n,) or null for 0; with `accumulate`, start being
  // null, c += a b. The padding of c, from its last column to its stride, may be overwritten.
  void (*multiply)(MatrixView<T> c, Strided<T> a, index_t k, Panels<T> b, const T* start,
                   bool accumulate);
  // Some columns of the same: those from `first` on, a multiple of panel_width. Where others
  // compute the columns behind the last one meanwhile, c.cols must be a multiple too.
  void (*multiply_columns)(MatrixView<T> c, index_t first, Strided<T> a, index_t k, Panels<T> b,
                           const T* start);
  // All of it without a start, and with an implicit last row of ones in a (m - 1 rows are read):
  // the last row of c is the column sums of b.
  void (*multiply_with_ones)(MatrixView<T> c, Strided<T> a, index_t k, Panels<T> b,
                             bool accumulate);
  index_t panel_width;
  // Rows [first, first + count) of w (n, k) become columns of its transpose (k, n) in panels.
  void (*transpose)(T* panels, ConstMatrixView<T> w, index_t first, index_t count);

  // a = g(z), rows of one matrix: (m, n). `a` may be `z`.
  void (*activation_forward)(MatrixView<T> a, ConstMatrixView<T> z, const Activation& g);

  // The same where g' needs z and is element-wise: z becomes g'(z). `a` may not be `z`.
  void (*activation_with_slope)(MatrixView<T> a, MatrixView<T> z, const Activation& g);

  // dz = da * g'(z), for softmax the product with its Jacobian: (m, n) all. `dz` may be `da`.
  void (*activation_backward)(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> z,
                              ConstMatrixView<T> a, const Activation& g);

  // dz = da * slopes: (m, n) all. `dz` may be `da`.
  void (*multiply_elements)(MatrixView<T> dz, ConstMatrixView<T> da, ConstMatrixView<T> slopes);

  // a = z + alpha (g(z) - z), alpha (n,), g element-wise: (m, n). `a` may be `z`.
  void (*parametric_forward)(MatrixView<T> a, ConstMatrixView<T> z, const T* alpha,
                             const Activation& g);
  // da becomes dz; dalpha (n,) is summed over the rows.
  void (*parametric_backward)(MatrixView<T> da, ConstMatrixView<T> z, const T* alpha, T* dalpha,
                              const Activation& g);

  // Fills `losses` (m,) with each sample's loss and `gradient` (m, k) with scale_i
  // d(loss_i)/d(outputs). `outputs` (m, k) are the logits z where from_logits, else the activations
  // a.
  void (*loss)(T* losses, MatrixView<T> gradient, ConstMatrixView<T> outputs,
               const Targets<T>& targets, const T* scale, const Loss& loss, bool from_logits);

  // sum = a + b: (m, n) all. `sum` may be `a`.
  void (*add)(MatrixView<T> sum, ConstMatrixView<T> a, ConstMatrixView<T> b);

  // to = from * factors (n,), column by column: (m, n) both. `to` may be `from`.
  void (*scale_columns)(MatrixView<T> to, ConstMatrixView<T> from, const T* factors);
  // dots (n,) = column sums of a * b, (m, n) both, or += with `accumulate`; m >= 1.
  void (*column_dots)(T* dots, ConstMatrixView<T> a, ConstMatrixView<T> b, bool accumulate);
  // ds_i += sum_j w_ij dw_ij, where ds (m,) is not null; then dw_ij *= factors_i: (m, n) both.
  void (*finish_scaled)(T* ds, MatrixView<T> dw, ConstMatrixView<T> w, const T* factors);

  // y = gain * xhat + shift, xhat = (z - mean) factor, factor = 1 / sqrt(variance + epsilon), of
  // each row: (m, n). Without a shift the mean counts as 0. xhat and the factors (m, 1) are kept
  // where their data are not null; xhat, or else y, may be z.
  void (*row_norm)(MatrixView<T> y, MatrixView<T> xhat, MatrixView<T> factors, ConstMatrixView<T> z,
                   const T* gain, const T* shift, T epsilon);
  // dy (m, n) becomes dz; dgain and dshift (n,) are summed over the rows; dshift may be null.
  void (*row_norm_backward)(MatrixView<T> dy, ConstMatrixView<T> xhat, ConstMatrixView<T> factors,
                            const T* gain, T* dgain, T* dshift);

  // Of each column of z (m, n): the sum of differences from its first number, which are exact where
  // its mean is large, and that of squared differences from its mean.
  void (*column_moments)(T* sums, T* squares, ConstMatrixView<T> z);
  // y = gain * xhat + shift, xhat = (z - mean) / sqrt(variance + epsilon), of each column: (m, n).
  // The shift lies behind the gain. xhat is kept where its data are not null; it, or else y, may be
  // z.
  void (*column_norm)(MatrixView<T> y, MatrixView<T> xhat, ConstMatrixView<T> z, const T* means,
                      const T* variances, const T* gain, T epsilon);
  // The column sums of dy * xhat, and behind them those of dy.
  void (*column_norm_sums)(T* sums, ConstMatrixView<T> dy, ConstMatrixView<T> xhat);
  // dy (m, n) becomes dz; `means` are those sums over the number of rows, null where mean and
  // variance do not depend on z.
  void (*column_norm_backward)(MatrixView<T> dy, ConstMatrixView<T> xhat, const T* means,
                               const T* variances, const T* gain, T epsilon);

  // sums (n,) = column sums of d (m, n), or += with `accumulate`; m >= 1.
  void (*column_sums)(T* sums, ConstMatrixView<T> d, bool accumulate);

  // Of one number x (m,) of each of m samples, m a multiple of 16: cos(2 pi x w + b), (size, m) for
  // w and b (size,), and where their data are not null the slopes, -sin of the same.
  void (*waves)(const MatrixView<T>& cosines, const MatrixView<T>& slopes, const T* x,
                const T* frequencies, const T* phases);

  // One step of the optimiser on n consecutive parameters.
  void (*optimizer_update)(const OptimizerStep<T>& step, T* parameters, const T* gradient,
                           T* const* state, index_t n);

  // x += share (y - x), and y = x + scale d, of n numbers.
  void (*interpolate)(T* x, const T* y, T share, index_t n);
  void (*add_scaled)(T* y, const T* x, const T* d, T scale, index_t n);

  // to = from with units dropped and the others scaled up: (m, n) both, rows of a batch from
  // first_row.
  void (*dropout)(MatrixView<T> to, ConstMatrixView<T> from, double rate, std::uint64_t seed,
                  std::uint64_t step, std::uint32_t layer, index_t first_row);
  // draws (kDrawsAtOnce,) = those of a Random from a multiple of 16 counters, of two draws, on.
  void (*draw)(std::uint64_t* draws, std::uint64_t seed, std::uint64_t stream,
               std::uint64_t counter);
  // Columns of w (n_in, n_out) longer than `limit` are scaled back to it; scales (n_out,) is
  // scratch.
  void (*limit_column_norms)(MatrixView<T> w, T limit, T* scales);
  // g (n,) += the gradient of l1 sum |w| + l2 / 2 sum w^2.
  void (*add_penalty)(T* g, const T* w, index_t n, T l1, T l2);
  double (*sum_of_squares)(const T* x, index_t n);
  double (*sum_of_magnitudes)(const T* x, index_t n);

  // sum (n,) += addends, `count` arenas `distance` apart, in their order.
  void (*add_arenas)(T* sum, const T* addends, index_t count, index_t distance, index_t n);
  double (*sum)(const T* x, index_t n);
  bool (*all_finite)(const T* values, index_t n);

  // y = function(x) on n numbers.
  void (*elementary)(Elementary function, T* y, const T* x, index_t n);

  // Multiplies and adds on registers alone, as fast as the processor can; returns how many
  // operations that was. `result` is one number, which the work begins from and ends in.
  double (*peak)(T* result, index_t iterations);

  // Samples as lanes: matrices (n, m) with a row for each unit and a column for each sample, m a
  // multiple of 16. Columns behind the last sample repeat it. Views come by reference: copies of
  // what was just written wait for the stores, in a step of some hundred nanoseconds.

  // Rows of x become columns: rows[0], rows[1], ..., or where `rows` is null those from `first` on.
  void (*to_lanes)(const MatrixView<T>& lanes, const ConstMatrixView<T>& x, const index_t* rows,
                   index_t first, index_t count);
  // Columns become the rows of y, as many as it has.
  void (*from_lanes)(const MatrixView<T>& y, const ConstMatrixView<T>& lanes);
  // c (n, m) = start (n,) + a (n, k) b (k, m); start null for 0.
  void (*lane_product)(const MatrixView<T>& c, const Strided<T>& a, const ConstMatrixView<T>& b,
                       const T* start);
  // sums (k, n, 16) = sum of x_i dz_j, or +=: x (k, m), dz (n, m). Sample s counts in lane s % 16.
  // With `biases` n more: those of dz alone.
  void (*lane_sums)(T* sums, const ConstMatrixView<T>& x, const ConstMatrixView<T>& dz, bool biases,
                    bool accumulate);
  // numbers (n,) = lanes (n, 16), each row added up.
  void (*fold_lanes)(T* numbers, const T* lanes, index_t n);
  // activation_forward, activation_backward and loss, of such matrices; values of targets (k, m).
  void (*lane_activation)(const MatrixView<T>& a, const ConstMatrixView<T>& z, const Activation& g);
  void (*lane_activation_backward)(const MatrixView<T>& dz, const ConstMatrixView<T>& da,
                                   const ConstMatrixView<T>& z, const ConstMatrixView<T>& a,
                                   const Activation& g);
  void (*lane_loss)(T* losses, const MatrixView<T>& gradient, const ConstMatrixView<T>& outputs,
                    const Targets<T>& targets, const T* scale, const Loss& loss, bool from_logits);
};

// The table of one instruction set, which the processor must support; without kernels of its own it
// is that of the compiler's baseline.
template <class T>
Kernels<T> kernels_of(Isa isa);

// The table of selected_isa(), chosen at the first call. A step asks for it some forty times.
template <class T>
const Kernels<T>& select_kernels();
template <class T>
struct SelectedKernels {
  static const Kernels<T>* table;  // null: not yet
};
template <>
const Kernels<float>* SelectedKernels<float>::table;
template <>
const Kernels<double>* SelectedKernels<double>::table;

template <class T>
PYMLP_INLINE const Kernels<T>& kernels() {
  const Kernels<T>* table = __atomic_load_n(&SelectedKernels<T>::table, __ATOMIC_ACQUIRE);
  return table != nullptr ? *table : select_kernels<T>();
}

// Each family lays its entries into the table. A family's source is compiled once for each ISA.
template <Isa isa, class T>
void add_activations(Kernels<T>& table);
template <Isa isa, class T>
void add_parametric(Kernels<T>& table);
template <Isa isa, class T>
void add_losses(Kernels<T>& table);
template <Isa isa, class T>
void add_lanes(Kernels<T>& table);
template <Isa isa, class T>
void add_optimizers(Kernels<T>& table);
template <Isa isa, class T>
void add_averages(Kernels<T>& table);
template <Isa isa, class T>
void add_reductions(Kernels<T>& table);
template <Isa isa, class T>
void add_norms(Kernels<T>& table);
template <Isa isa, class T>
void add_rows(Kernels<T>& table);
template <Isa isa, class T>
void add_elementary(Kernels<T>& table);
template <Isa isa, class T>
void add_packing(Kernels<T>& table);
template <Isa isa, class T>
void add_products(Kernels<T>& table);
template <Isa isa, class T>
void add_penalties(Kernels<T>& table);
template <Isa isa, class T>
void add_dropout(Kernels<T>& table);
template <Isa isa, class T>
void add_waves(Kernels<T>& table);
template <Isa isa, class T>
void add_peak(Kernels<T>& table);

}  // namespace pymlp

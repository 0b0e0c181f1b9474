// The loss of a batch: a weighted mean over its rows.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/table.hpp"
#include "model/source.hpp"

namespace pymlp {

struct BatchLoss {
  double sum = 0.0;      // of weight_i loss_i
  double weight = 0.0;   // of weight_i
  double penalty = 0.0;  // times the weight

  double mean() const { return weight > 0.0 ? sum / weight : 0.0; }
  double total() const { return weight > 0.0 ? (sum + penalty) / weight : 0.0; }
  double mean_penalty() const { return weight > 0.0 ? penalty / weight : 0.0; }
  BatchLoss& operator+=(const BatchLoss& other) {
    sum += other.sum;
    weight += other.weight;
    penalty += other.penalty;
    return *this;
  }
};

// What a row has in a mean over rows of this weight together.
class Share {
 public:
  explicit Share(double total) : total_(total), of_one_(total > 0.0 ? 1.0 / total : 0.0) {}

  // The inverse of a subnormal total is infinite.
  double of(double weight) const {
    return of_one_ <= std::numeric_limits<double>::max() ? weight * of_one_ : weight / total_;
  }

 private:
  double total_;
  double of_one_;
};

template <class T>
double total_weight(const Batch<T>& batch, Range rows) {
  const T* weights = batch.source.weights();
  if (weights == nullptr) return static_cast<double>(rows.count);
  double total = 0.0;
  for (index_t i = rows.first; i < rows.end(); ++i) {
    total += static_cast<double>(weights[batch.row(i)]);
  }
  return total;
}

// The factor of each row's loss in the mean.
template <class T>
void set_scales(T* scales, const Batch<T>& batch, Range rows, const Share& share) {
  const T* weights = batch.source.weights();
  if (weights == nullptr) {
    std::fill_n(scales, rows.count, static_cast<T>(share.of(1.0)));
    return;
  }
  for (index_t i = 0; i < rows.count; ++i) {
    const auto weight = static_cast<double>(weights[batch.row(rows.first + i)]);
    scales[i] = static_cast<T>(share.of(weight));
  }
}

// A row of weight 0 has no gradient, were its loss infinite.
template <class T>
void clear_unweighted(MatrixView<T> gradient, const T* scales) {
  for (index_t i = 0; i < gradient.rows; ++i) {
    if (scales[i] == T(0)) std::fill_n(gradient.row(i), gradient.cols, T(0));
  }
}

// Of the losses (m,) of some rows. A row of weight 0 is left out, whatever its loss.
template <class T>
double weighted_sum(const T* losses, const Batch<T>& batch, Range rows) {
  const T* weights = batch.source.weights();
  if (weights == nullptr) return kernels<T>().sum(losses, rows.count);
  double sum = 0.0;
  for (index_t i = 0; i < rows.count; ++i) {
    const auto weight = static_cast<double>(weights[batch.row(rows.first + i)]);
    if (weight > 0.0) sum += weight * static_cast<double>(losses[i]);
  }
  return sum;
}

}  // namespace pymlp

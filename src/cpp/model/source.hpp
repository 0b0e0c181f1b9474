// Source: where batches come from; today arrays in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/buffer.hpp"
#include "base/range.hpp"
#include "kernels/loss.hpp"
#include "kernels/panels.hpp"

namespace pymlp {

// Consecutive rows with their targets.
template <class T>
struct Samples {
  ConstMatrixView<T> x;
  Targets<T> targets;

  Samples slice(index_t first, index_t count) const {
    return {x.slice(first, count), targets.slice(first, count)};
  }
};

template <class T>
class Source {
 public:
  virtual ~Source() = default;
  virtual index_t size() const = 0;
  virtual index_t n_inputs() const = 0;
  virtual index_t n_outputs() const = 0;
  virtual bool has_labels() const = 0;  // else values
  // Of each row; null where all count the same.
  virtual const T* weights() const = 0;
  // Where each of its rows lies; null: one behind the other. Batches then have an order.
  virtual const index_t* numbers() const { return nullptr; }
  // Consecutive rows as they lie in memory, in place.
  virtual Samples<T> rows(Range range) const = 0;
  // Copies rows[0], rows[1], ... to x, and their labels or values.
  virtual void gather(const index_t* rows, index_t count, MatrixView<T> x, std::int32_t* labels,
                      MatrixView<T> values) const = 0;
};

template <class T>
class ArraySource final : public Source<T> {
 public:
  // Of all rows of the arrays, or of those with these numbers.
  ArraySource(ConstMatrixView<T> x, const Targets<T>& targets, const T* weights,
              std::span<const index_t> numbers = {})
      : x_(x), targets_(targets), weights_(weights), numbers_(numbers) {}

  index_t size() const override { return numbers_.empty() ? x_.rows : std::ssize(numbers_); }
  index_t n_inputs() const override { return x_.cols; }
  index_t n_outputs() const override { return targets_.values.cols; }
  bool has_labels() const override { return targets_.labels != nullptr; }
  const T* weights() const override { return weights_; }
  const index_t* numbers() const override { return numbers_.empty() ? nullptr : numbers_.data(); }

  Samples<T> rows(Range range) const override {
    return Samples<T>{x_, targets_}.slice(range.first, range.count);
  }

  void gather(const index_t* rows, index_t count, MatrixView<T> x, std::int32_t* labels,
              MatrixView<T> values) const override {
    for (index_t i = 0; i < count; ++i) {
      std::copy_n(x_.row(rows[i]), x_.cols, x.row(i));
      if (targets_.labels != nullptr) {
        labels[i] = targets_.labels[rows[i]];
      } else {
        std::copy_n(targets_.values.row(rows[i]), values.cols, values.row(i));
      }
    }
  }

 private:
  ConstMatrixView<T> x_;
  Targets<T> targets_;
  const T* weights_;
  std::span<const index_t> numbers_;
};

// Rows order[first], order[first + 1], ... of a source; without an order rows first, first + 1, ...
template <class T>
struct Batch {
  const Source<T>& source;
  const index_t* order;
  Range range;

  index_t size() const { return range.count; }
  index_t row(index_t i) const {
    return order != nullptr ? order[range.first + i] : range.first + i;
  }
};

// Room for rows of a batch that are not consecutive in their source.
template <class T>
class GatherRoom {
 public:
  void reserve(const Source<T>& source, index_t rows) {
    grow(x_, rows * padded_stride<T>(source.n_inputs()));
    if (source.has_labels()) {
      grow(labels_, rows);
    } else {
      grow(values_, rows * source.n_outputs());
    }
  }

  index_t size() const { return x_.size() + values_.size() + labels_.size(); }

  // Rows of a batch: in place, or copied to row `at` of the room and the following.
  Samples<T> fill(const Batch<T>& batch, Range rows, index_t at) {
    if (batch.order != nullptr) {
      const index_t n_in = batch.source.n_inputs(), n_out = batch.source.n_outputs();
      const index_t stride = padded_stride<T>(n_in);
      std::int32_t* labels = batch.source.has_labels() ? labels_.data() + at : nullptr;
      batch.source.gather(batch.order + batch.range.first + rows.first, rows.count,
                          {x_.data() + at * stride, rows.count, n_in, stride}, labels,
                          {values_.data() + at * n_out, rows.count, n_out, n_out});
    }
    return filled(batch, rows, at);
  }

  // What fill() found.
  Samples<T> filled(const Batch<T>& batch, Range rows, index_t at) const {
    const Source<T>& source = batch.source;
    if (batch.order == nullptr) return source.rows({batch.range.first + rows.first, rows.count});
    const index_t n_in = source.n_inputs(), n_out = source.n_outputs();
    const index_t stride = padded_stride<T>(n_in);
    const ConstMatrixView<T> x(x_.data() + at * stride, rows.count, n_in, stride);
    if (source.has_labels()) return {x, {labels_.data() + at, {}}};
    return {x, {nullptr, {values_.data() + at * n_out, rows.count, n_out, n_out}}};
  }

 private:
  Buffer<T> x_;
  Buffer<T> values_;
  Buffer<std::int32_t> labels_;
};

}  // namespace pymlp

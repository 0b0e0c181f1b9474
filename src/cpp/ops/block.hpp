// Block: some rows of a batch in a program, and where each buffer lies. Refers to memory that
// others own; costs nothing to make.
#pragma once

#include <cstdint>
#include <vector>

#include "base/interrupt.hpp"
#include "kernels/arithmetic.hpp"
#include "ops/operation.hpp"

namespace pymlp {

template <class T>
class PackedWeights;

// The draws of dropout in one step: every unit of every sample has its own, on any thread.
struct DropoutDraws {
  std::uint64_t seed;
  std::uint64_t step;
  const double* rates = nullptr;  // scheduled, by the buffer that is written; null: the operations'

  double rate_of(const Operation& op) const {
    return rates != nullptr ? rates[op.output] : op.rate;
  }
};

// What of a block's buffers is read later.
enum class Keep {
  outputs,       // two matrices take turns: only the last buffer is wanted
  loss,          // as for_backward, but that nothing goes back behind the outputs
  for_backward,  // what the way back reads, without dropout
  for_training,  // and with dropout
  everything,    // z and a of every layer apart
};

// A matrix in a workspace of m rows: it begins m * offset + shift numbers behind the first. The
// shifts keep matrices that are read and written together off the same lines of the cache.
struct Place {
  index_t offset = 0;
  index_t shift = 0;
  index_t cols = 0;
  index_t stride = 0;
  bool is_inputs = false;  // no matrix in a workspace, but the network's inputs
};

// Where a program's buffers lie in a workspace, and the gradients by them. Buffers share a place
// where an operation may work in place.
struct Placement {
  std::vector<Place> values;     // of each buffer
  std::vector<Place> gradients;  // by each buffer
  std::vector<Place> kept;       // of each operation, beside its outputs, for the way back
  index_t numbers_of_a_row = 0;
  index_t shifts = 0;  // of all together

  index_t size(index_t rows) const { return rows * numbers_of_a_row + shifts; }
};

template <class T>
struct Block {
  const Placement* places;
  T* memory;         // a workspace
  index_t capacity;  // its rows
  index_t first;     // of the block, among these
  index_t first_of_batch;
  ConstMatrixView<T> x;  // the network's inputs, the rows of the block alone
  const T* parameters;
  const PackedWeights<T>* packed = nullptr;  // the backward pass needs it
  const DropoutDraws* draws = nullptr;       // null: no unit is dropped
  MatrixView<T> y{};               // where the last buffer is to lie, if not in the workspace
  MatrixView<T> dx{};              // where the gradient by the inputs goes, if it is wanted
  Interrupt* interrupt = nullptr;  // looked at between operations; null: between blocks is enough
  // What operations sum over the rows of a block on the way back, for each of these blocks apart.
  T* sums = nullptr;
  index_t sums_of_a_block = 0;
  index_t blocks = 1;
  T* batch_sums = nullptr;  // over the whole batch; null: no operation waits for them
  Arithmetic arithmetic = Arithmetic::exact;

  index_t rows() const { return x.rows; }
  MatrixView<T> value(index_t buffer) const {
    const bool last = buffer + 1 == static_cast<index_t>(places->values.size());
    return last && y.data != nullptr ? y : at(places->values[static_cast<std::size_t>(buffer)]);
  }
  // Null: that by the inputs, which nobody wants.
  MatrixView<T> gradient(index_t buffer) const {
    const Place& place = places->gradients[static_cast<std::size_t>(buffer)];
    return place.is_inputs ? dx : at(place);
  }
  ConstMatrixView<T> input(const Operation& of) const { return values_of(of.input); }
  ConstMatrixView<T> values_of(index_t buffer) const {
    if (is_inputs(buffer)) return x;
    return value(buffer);
  }
  bool is_inputs(index_t buffer) const {
    return places->values[static_cast<std::size_t>(buffer)].is_inputs;
  }
  MatrixView<T> output(const Operation& of) const { return value(of.output); }
  MatrixView<T> input_gradient(const Operation& of) const { return gradient(of.input); }
  MatrixView<T> output_gradient(const Operation& of) const { return gradient(of.output); }
  // Whether a way back may follow, which reads what the way forward keeps for it.
  bool goes_back() const { return !places->kept.empty(); }
  // What an operation keeps beside its outputs; null where there is no way back.
  MatrixView<T> kept(const Operation& of) const {
    if (!goes_back()) return {};
    return at(places->kept[static_cast<std::size_t>(of.output - 1)]);
  }
  T* batch_sums_of(const Operation& of) const { return batch_sums + of.first_batch_sum; }
  T* sums_of(const Operation& of) const { return sums + of.first_sum; }

 private:
  MatrixView<T> at(const Place& place) const {
    return {memory + capacity * place.offset + place.shift + first * place.stride, rows(),
            place.cols, place.stride};
  }
};

}  // namespace pymlp

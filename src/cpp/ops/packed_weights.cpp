#include "ops/packed_weights.hpp"

#include <algorithm>

#include "base/team.hpp"

namespace pymlp {

template <class T>
PackedWeights<T>::PackedWeights(std::span<const Operation> operations, index_t first_back,
                                Arithmetic arithmetic)
    : operations_(operations) {
  constexpr index_t kNumbersOfATask = 1 << 15;
  index_t total = 0;
  const auto take = [&total](index_t size) { return size == 0 ? kNone : (total += size) - size; };
  for (const Operation& op : operations) {
    if (op.kind != OperationKind::dense) continue;
    const index_t position = op.output - 1;
    const bool backward = position >= first_back;
    offsets_.push_back(
        take(backward ? product::transposed_size<T>(arithmetic, op.n_in, op.n_out) : 0));
    const index_t tasks = std::clamp(op.n_in * op.n_out / kNumbersOfATask, index_t{1}, op.n_in);
    for (index_t t = 0; t < tasks; ++t) {
      stretches_.push_back({position, part_of(op.n_in, t, tasks)});
    }
  }
  memory_ = Buffer<T>(total);
}

template <class T>
product::Weights<T> PackedWeights<T>::of(const Operation& op, const T* parameters) const {
  const index_t offset = offsets_[static_cast<std::size_t>(op.layer)];
  return {weights_of(op, parameters), offset == kNone ? nullptr : memory_.data() + offset};
}

template <class T>
void PackedWeights<T>::refresh(const T* parameters, const Stretch& stretch) {
  const Operation& op = operations_[static_cast<std::size_t>(stretch.operation)];
  if (op.kind != OperationKind::dense) return;
  const index_t offset = offsets_[static_cast<std::size_t>(op.layer)];
  if (offset == kNone) return;
  const auto [first, count] = stretch.rows;
  product::transpose<T>(memory_.data() + offset, weights_of(op, parameters), first, count);
}

template <class T>
void PackedWeights<T>::refresh(const T* parameters, int threads) {
  parallel_for(std::ssize(stretches_), threads, [&](index_t s, index_t) {
    refresh(parameters, stretches_[static_cast<std::size_t>(s)]);
  });
}

template class PackedWeights<float>;
template class PackedWeights<double>;

}  // namespace pymlp

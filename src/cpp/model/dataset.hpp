// Dataset: samples with what they should give, as the user's arrays hold them; and one batch of it.
#pragma once

#include "kernels/loss.hpp"

namespace pymlp {

template <class T>
struct Dataset {
  ConstMatrixView<T> x;
  Targets<T> targets;
  const T* sample_weight = nullptr;  // (m,), null where every sample counts the same

  index_t size() const { return x.rows; }
};

// Samples order[first], ..., order[first + count - 1]; without an order the rows as they lie.
template <class T>
struct Batch {
  const Dataset<T>& data;
  const index_t* order;
  index_t first;
  index_t count;

  index_t sample(index_t i) const { return order != nullptr ? order[first + i] : first + i; }
  T weight(index_t i) const {
    return data.sample_weight != nullptr ? data.sample_weight[sample(i)] : T(1);
  }
};

}  // namespace pymlp

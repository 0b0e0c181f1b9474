// Losses: their names, and which may follow which output activation.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/view.hpp"
#include "kernels/activation.hpp"

namespace pymlp {

enum class LossKind : std::uint8_t { cross_entropy, binary_cross_entropy, mse };

LossKind loss_of_name(std::string_view name);
std::string_view name_of(LossKind loss);

// Throws where the loss reads outputs as probabilities and the activation does not give any.
void check_pair(LossKind loss, const Activation& output);

// softmax + cross_entropy and sigmoid + binary_cross_entropy are computed from z: never log(0).
bool computed_from_logits(LossKind loss, const Activation& output);

// What a batch should have given: class labels, or a value for each output.
template <class T>
struct Targets {
  const std::int32_t* labels = nullptr;
  ConstMatrixView<T> values;

  PYMLP_INLINE Targets slice(index_t first, index_t count) const {
    if (labels != nullptr) return {labels + first, {}};
    return {nullptr, values.slice(first, count)};
  }
};

}  // namespace pymlp

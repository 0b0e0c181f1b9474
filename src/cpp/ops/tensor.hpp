// Tensors: the parameters and the states of an operation, by their names.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/range.hpp"

namespace pymlp {

enum class TensorKind : std::uint8_t { weights, biases, scale, norm, activation, embedding, state };

inline constexpr std::array<std::string_view, 7> kTensorKinds{
    "weights", "biases", "scale", "norm", "activation", "embedding", "state"};
static_assert(kTensorKinds.size() == static_cast<std::size_t>(TensorKind::state) + 1);

// How a tensor begins.
enum class Draw : std::uint8_t { none, normal, uniform };

struct Tensor {
  std::string_view name;  // of the layer's attribute
  TensorKind kind;
  index_t rows;  // 0: a vector
  index_t cols;
  double initial = 0.0;  // every number, or the deviation or the bound of what is drawn
  index_t layer = 0;     // set by the program, as is its place in the arena
  index_t first = 0;
  Draw draw = Draw::none;  // weights of layers: as an initialiser says
  index_t column = -1;     // of the inputs, of which this is an embedding

  index_t size() const { return rows > 0 ? rows * cols : cols; }
};

using Tensors = std::vector<Tensor>;

// The parts of the arena that go with a stretch, in ascending order.
struct ArenaRanges {
  std::array<Range, 2> ranges{};
  std::size_t count = 0;

  void add(Range range) {
    if (range.count > 0) ranges[count++] = range;
  }
  const Range* begin() const { return ranges.data(); }
  const Range* end() const { return ranges.data() + count; }
};

}  // namespace pymlp

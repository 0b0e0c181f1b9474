// Column stage: operations whose columns are computed in parts at the same time: a product, and
// behind it what works on its columns apart, such as an activation.
#pragma once

#include <algorithm>

#include "base/range.hpp"

namespace pymlp {

struct ColumnStage {
  static constexpr index_t kUnit = 32;  // a multiple of the width of all panels

  Range operations;  // of a program
  index_t n_out;
  int parts;

  static index_t most_parts(index_t n_out) { return (n_out + kUnit - 1) / kUnit; }
  Range columns(index_t part) const {
    const Range units = part_of(most_parts(n_out), part, parts);
    const index_t first = units.first * kUnit;
    return {first, std::min(units.end() * kUnit, n_out) - first};
  }
};

}  // namespace pymlp

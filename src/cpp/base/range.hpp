// Consecutive indices: rows of a batch, parameters of an arena, blocks.
#pragma once

#include "base/view.hpp"

namespace pymlp {

struct Range {
  index_t first;
  index_t count;

  index_t end() const { return first + count; }
};

// Part `i` of `n` nearly equal parts of [0, count).
inline Range part_of(index_t count, index_t i, index_t n) {
  const index_t first = count * i / n;
  return {first, count * (i + 1) / n - first};
}

}  // namespace pymlp

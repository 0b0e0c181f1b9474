// The order in which an epoch visits its samples.
#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include "base/interrupt.hpp"
#include "base/random.hpp"
#include "kernels/table.hpp"

namespace pymlp {

// Fisher-Yates, with the first draws of a stream. Where an interrupt comes, it ends before its
// time.
inline void shuffle(std::span<index_t> order, const Random& random,
                    Interrupt* interrupt = nullptr) {
  constexpr std::uint64_t kLook = 1 << 15;
  std::uint64_t draws[kDrawsAtOnce];
  index_t* const rows = order.data();
  index_t i = std::ssize(order) - 1;
  for (std::uint64_t counter = 0; i > 0; counter += kDrawsAtOnce / 2) {
    if (counter % kLook == kLook / 2 && requested(interrupt)) return;
    kernels<float>().draw(draws, random.seed(), random.stream(), counter);
    const index_t end = std::max(i - kDrawsAtOnce, index_t{0});
    for (const std::uint64_t* draw = draws; i > end; --i, ++draw) {
      std::swap(rows[i], rows[Random::below(i + 1, *draw)]);
    }
  }
}

// The draws of one epoch, in streams apart from those that initialise layers.
inline Random epoch_stream(std::uint64_t seed, index_t epoch) {
  constexpr std::uint64_t kEpochStreams = std::uint64_t{1} << 32;
  return Random(seed, kEpochStreams + static_cast<std::uint64_t>(epoch));
}

}  // namespace pymlp

// The order in which an epoch visits its samples.
#pragma once

#include <span>
#include <utility>

#include "base/interrupt.hpp"
#include "base/random.hpp"

namespace pymlp {

// Fisher-Yates. Where an interrupt comes, it ends before its time.
inline void shuffle(std::span<index_t> order, Random random, Interrupt* interrupt = nullptr) {
  constexpr index_t kLook = 1 << 16;
  for (index_t i = std::ssize(order) - 1; i > 0; --i) {
    if (i % kLook == 0 && requested(interrupt)) return;
    const index_t j = random.below(i + 1);
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
  }
}

// The draws of one epoch, in streams apart from those that initialise layers.
inline Random epoch_stream(std::uint64_t seed, index_t epoch) {
  constexpr std::uint64_t kEpochStreams = std::uint64_t{1} << 32;
  return Random(seed, kEpochStreams + static_cast<std::uint64_t>(epoch));
}

}  // namespace pymlp

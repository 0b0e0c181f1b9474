// The order in which an epoch visits its samples.
#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include "base/interrupt.hpp"
#include "base/random.hpp"

namespace pymlp {

// Fisher-Yates. Where an interrupt comes, it ends before its time.
inline void shuffle(std::span<index_t> order, Random random, Interrupt* interrupt = nullptr) {
  constexpr index_t kLook = 1 << 11;  // times as many draws
  std::uint64_t draws[Random::kMany];
  index_t* const rows = order.data();
  index_t i = std::ssize(order) - 1;
  for (index_t turn = 1; i > 0; ++turn) {
    if (turn % kLook == 0 && requested(interrupt)) return;
    random.bits(draws);
    const index_t end = std::max(i - Random::kMany, index_t{0});
    for (const std::uint64_t* draw = draws; i > end; --i) {
      std::swap(rows[i], rows[Random::below(i + 1, *draw++)]);
    }
  }
}

// The draws of one epoch, in streams apart from those that initialise layers.
inline Random epoch_stream(std::uint64_t seed, index_t epoch) {
  constexpr std::uint64_t kEpochStreams = std::uint64_t{1} << 32;
  return Random(seed, kEpochStreams + static_cast<std::uint64_t>(epoch));
}

}  // namespace pymlp

// Random numbers from a counter: draw k of stream s under seed x is a pure function of (x, s, k),
// so every machine and every number of threads draws the same. Philox4x32-10, Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>

#include "base/view.hpp"

namespace pymlp {

using Block = std::array<std::uint32_t, 4>;
__extension__ using uint128_t = unsigned __int128;

inline Block philox(Block counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(p0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

// The draws of one stream, in order.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  std::uint64_t bits() {
    if (used_ == 2) refill();
    const std::uint64_t high = block_[static_cast<std::size_t>(2 * used_)];
    const std::uint64_t low = block_[static_cast<std::size_t>(2 * used_ + 1)];
    ++used_;
    return high << 32 | low;
  }

  // In [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  // In [0, bound); the bias of at most bound / 2^64 is beyond measurement.
  index_t below(index_t bound) {
    const auto product = static_cast<uint128_t>(bits()) * static_cast<std::uint64_t>(bound);
    return static_cast<index_t>(product >> 64);
  }

 private:
  void refill() {
    block_ =
        philox({static_cast<std::uint32_t>(counter_), static_cast<std::uint32_t>(counter_ >> 32),
                static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
               static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32));
    ++counter_;
    used_ = 0;
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;
  Block block_{};
  int used_ = 2;
};

}  // namespace pymlp

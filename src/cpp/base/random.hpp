// Random numbers from a counter: draw k of stream s under seed x is a pure function of (x, s, k).
#pragma once

#include <cstdint>

#include "base/philox.hpp"
#include "base/view.hpp"

namespace pymlp {

__extension__ using uint128_t = unsigned __int128;

// The draws of one stream, in order.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  // The same stream from its draw 2^41 i on: of independent draws for each i, however they are
  // shared out.
  Random part(index_t i) const {
    Random random(seed_, stream_);
    random.counter_ = static_cast<std::uint64_t>(i) << 40;
    return random;
  }

  std::uint64_t seed() const { return seed_; }
  std::uint64_t stream() const { return stream_; }

  std::uint64_t bits() {
    if (second_is_left_) {
      second_is_left_ = false;
      return joined(block_.w2, block_.w3);
    }
    block_ =
        philox(low(counter_), high(counter_), low(stream_), high(stream_), low(seed_), high(seed_));
    ++counter_;
    second_is_left_ = true;
    return joined(block_.w0, block_.w1);
  }

  // In [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  // In [0, bound); the bias of at most bound / 2^64 is beyond measurement.
  index_t below(index_t bound) { return below(bound, bits()); }
  static index_t below(index_t bound, std::uint64_t draw) {
    const auto product = static_cast<uint128_t>(draw) * static_cast<std::uint64_t>(bound);
    return static_cast<index_t>(product >> 64);
  }

 private:
  static std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
  static std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
  static std::uint64_t joined(std::uint32_t upper, std::uint32_t lower) {
    return std::uint64_t{upper} << 32 | lower;
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;
  PhiloxBlock block_{};
  bool second_is_left_ = false;
};

}  // namespace pymlp

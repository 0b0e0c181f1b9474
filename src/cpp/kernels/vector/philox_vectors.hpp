// Philox (base/philox.hpp) in vectors: 16 bits for each of many units, in one order on every ISA.
// Included only by sources compiled once per ISA.
#pragma once

#include <cstdint>
#include <utility>

#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

using Words = Vector<std::uint64_t, kWidth<std::uint64_t>>;

// The products of the low halves of 64-bit lanes; what the high halves hold has no part in them.
PYMLP_INLINE Words multiply_low_halves(Words a, Words b) {
#if defined(__AVX512F__)
  return reinterpret_cast<Words>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Words>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__aarch64__)
  return reinterpret_cast<Words>(vmull_u32(vmovn_u64(reinterpret_cast<uint64x2_t>(a)),
                                           vmovn_u64(reinterpret_cast<uint64x2_t>(b))));
#else
  return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

inline constexpr double kDrawRange = 65536.0;                   // draws are less
inline constexpr index_t kCountersOfGroup = 16;                 // in one order on every ISA
inline constexpr index_t kDrawsOfGroup = 8 * kCountersOfGroup;  // two of each of four words

alignas(64) inline constexpr std::uint64_t kLaneNumbers[kCountersOfGroup] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// Draw p of group g is half p % 2, the low one first, of word p / 32 of the block that is drawn at
// counter 16 g + p % 32 / 2 and this stream.
class PhiloxVectors {
 public:
  PhiloxVectors(std::uint64_t key, std::uint64_t stream) : stream_(stream) {
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      keys_[round][0] = static_cast<std::uint32_t>(key) + round * 0x9E3779B9;
      keys_[round][1] = static_cast<std::uint32_t>(key >> 32) + round * 0xBB67AE85;
    }
  }

  PYMLP_INLINE void draw(std::uint32_t* draws, index_t group) const {
    for (index_t first = 0; first < kCountersOfGroup; first += width) {
      Words words[4];
      blocks(words, static_cast<std::uint64_t>(group * kCountersOfGroup), first);
      for (index_t w = 0; w < 4; ++w) {
        const Words halves = (words[w] & 0xffff) | ((words[w] << 16) & 0xffff00000000);
        store<std::uint64_t, width>(
            reinterpret_cast<std::uint64_t*>(draws + 2 * (w * kCountersOfGroup + first)), halves);
      }
    }
  }

  // The draws of a Random, two from each counter of a group, which begins at `counter`.
  PYMLP_INLINE void draw_in_order(std::uint64_t* draws, std::uint64_t counter) const {
    for (index_t first = 0; first < kCountersOfGroup; first += width) {
      Words words[4];
      blocks(words, counter, first);
      const Words even = words[0] << 32 | (words[1] & 0xffffffff);
      const Words odd = words[2] << 32 | (words[3] & 0xffffffff);
      store_in_turn(draws + 2 * first, even, odd, std::make_integer_sequence<int, width>());
    }
  }

 private:
  static constexpr std::uint32_t kRounds = 10;
  static constexpr int width = kWidth<std::uint64_t>;

  // Of the counters of a group from its `first` on.
  PYMLP_INLINE void blocks(Words (&words)[4], std::uint64_t counter, index_t first) const {
    words[0] = load<std::uint64_t, width>(kLaneNumbers + first) + counter;
    words[1] = Words{} + (counter >> 32);
    words[2] = Words{} + stream_;
    words[3] = Words{} + (stream_ >> 32);
    rounds(words[0], words[1], words[2], words[3]);
  }

  template <int... l>
  PYMLP_INLINE static void store_in_turn(std::uint64_t* to, const Words& a, const Words& b,
                                         std::integer_sequence<int, l...>) {
    store<std::uint64_t, width>(to, __builtin_shufflevector(a, b, (l / 2 + l % 2 * width)...));
    store<std::uint64_t, width>(
        to + width, __builtin_shufflevector(a, b, (width / 2 + l / 2 + l % 2 * width)...));
  }

  // Words are the low halves of the lanes; what gathers in the high halves is never read.
  PYMLP_INLINE void rounds(Words& c0, Words& c1, Words& c2, Words& c3) const {
#pragma GCC unroll 10
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      const Words p0 = multiply_low_halves(c0, Words{} + 0xD2511F53);
      const Words p1 = multiply_low_halves(c2, Words{} + 0xCD9E8D57);
      c0 = (p1 >> 32) ^ c1 ^ keys_[round][0];
      c2 = (p0 >> 32) ^ c3 ^ keys_[round][1];
      c1 = p1;
      c3 = p0;
    }
  }

  std::uint64_t stream_;
  std::uint64_t keys_[kRounds][2];
};

}  // namespace
}  // namespace pymlp

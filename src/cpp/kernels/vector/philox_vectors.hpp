// Philox (base/philox.hpp) in vectors: 16 bits for each of many units, in one order on every ISA.
// Included only by sources compiled once per ISA.
#pragma once

#include <cstdint>

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
    constexpr index_t width = kWidth<std::uint64_t>;
    const auto counter = static_cast<std::uint64_t>(group * kCountersOfGroup);
    for (index_t first = 0; first < kCountersOfGroup; first += width) {
      Words c0 = load<std::uint64_t, width>(kLaneNumbers + first) + counter;
      Words c1 = Words{} + (counter >> 32), c2 = Words{} + stream_;
      Words c3 = Words{} + (stream_ >> 32);
      rounds(c0, c1, c2, c3);
      const Words words[4] = {c0, c1, c2, c3};
      for (index_t w = 0; w < 4; ++w) {
        const Words halves = (words[w] & 0xffff) | ((words[w] << 16) & 0xffff00000000);
        store<std::uint64_t, width>(
            reinterpret_cast<std::uint64_t*>(draws + 2 * (w * kCountersOfGroup + first)), halves);
      }
    }
  }

 private:
  static constexpr std::uint32_t kRounds = 10;

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

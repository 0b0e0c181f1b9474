// Philox4x32-10: four random words that are a pure function of a counter and a key, so every
// machine and every number of threads draws the same. Salmon et al., "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011. Plain words and forced inlining, so that a loop over counters becomes
// vectors.
#pragma once

#include <cstdint>

#include "base/view.hpp"

namespace pymlp {

struct PhiloxBlock {
  std::uint32_t w0, w1, w2, w3;
};

PYMLP_INLINE PhiloxBlock philox(std::uint32_t c0, std::uint32_t c1, std::uint32_t c2,
                                std::uint32_t c3, std::uint32_t k0, std::uint32_t k1) {
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return {c0, c1, c2, c3};
}

}  // namespace pymlp

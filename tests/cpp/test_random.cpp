// Random numbers: the published vectors of Philox, and what is made of its draws.
#include "base/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "base/cpu.hpp"
#include "kernels/table.hpp"
#include "model/shuffle.hpp"

using namespace pymlp;

namespace {

using Words = std::array<std::uint32_t, 4>;

Words words(const PhiloxBlock& block) { return {block.w0, block.w1, block.w2, block.w3}; }

}  // namespace

// kat_vectors of Random123: "philox4x32 10".
TEST_CASE("philox gives the published vectors") {
  constexpr std::uint32_t all = 0xffffffff;
  CHECK(words(philox(0, 0, 0, 0, 0, 0)) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(words(philox(all, all, all, all, all, all)) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(words(philox(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0)) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("draws are the words of consecutive counters, seed and stream in the key and counter") {
  constexpr std::uint64_t seed = 0x0123456789abcdef;
  constexpr std::uint64_t stream = 0xfedcba9876543210;
  Random random(seed, stream);
  for (std::uint32_t counter = 0; counter < 3; ++counter) {
    const PhiloxBlock block = philox(counter, 0, 0x76543210, 0xfedcba98, 0x89abcdef, 0x01234567);
    CHECK(random.bits() == (std::uint64_t{block.w0} << 32 | block.w1));
    CHECK(random.bits() == (std::uint64_t{block.w2} << 32 | block.w3));
  }
}

TEST_CASE("a part of a stream begins at a counter of its own, wherever the stream is") {
  Random random(0x89abcdef, 0x76543210);
  random.bits();
  for (std::uint32_t part : {0u, 1u, 513u}) {
    const PhiloxBlock block = philox(0, part << 8, 0x76543210, 0, 0x89abcdef, 0);
    Random draws = random.part(part);
    CHECK(draws.bits() == (std::uint64_t{block.w0} << 32 | block.w1));
    CHECK(draws.bits() == (std::uint64_t{block.w2} << 32 | block.w3));
  }
}

TEST_CASE("uniform draws lie in [0, 1) with the right mean and variance") {
  Random random(1, 2);
  constexpr int n = 200000;
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    sum += u;
    squares += u * u;
  }
  const double mean = sum / n;
  CHECK(mean == doctest::Approx(0.5).epsilon(0.005));
  CHECK(squares / n - mean * mean == doctest::Approx(1.0 / 12.0).epsilon(0.01));
}

TEST_CASE("below stays below its bound and reaches every number") {
  Random random(3, 0);
  for (const index_t bound : {1, 2, 7, 1000}) {
    std::vector<int> counts(static_cast<std::size_t>(bound));
    for (index_t i = 0; i < 100 * bound; ++i) {
      const index_t draw = random.below(bound);
      REQUIRE(draw >= 0);
      REQUIRE(draw < bound);
      ++counts[static_cast<std::size_t>(draw)];
    }
    CHECK(std::ranges::min(counts) > 40);
    CHECK(std::ranges::max(counts) < 180);
  }
  const index_t huge = index_t{1} << 62;
  for (int i = 0; i < 1000; ++i) CHECK(random.below(huge) < huge);
}

TEST_CASE("draws many at once are those one by one, on every instruction set") {
  constexpr std::uint64_t kSeed = 0x0123456789abcdef, kStream = 0xfedcba9876543210;
  for (const Isa isa : {Isa::generic, Isa::avx2, Isa::avx512}) {
    if (!cpu_supports(isa)) continue;
    for (const index_t part : {0, 1}) {
      Random random = Random(kSeed, kStream).part(part);
      for (std::uint64_t counter = static_cast<std::uint64_t>(part) << 40, i = 0; i < 4; ++i) {
        std::uint64_t draws[kDrawsAtOnce];
        kernels_of<float>(isa).draw(draws, kSeed, kStream, counter + 16 * i);
        for (const std::uint64_t draw : draws) CHECK(draw == random.bits());
      }
    }
  }
}

TEST_CASE("a shuffle is a permutation that seed and epoch fix") {
  const auto order = [](std::uint64_t seed, index_t epoch) {
    std::vector<index_t> result(100);
    std::iota(result.begin(), result.end(), index_t{0});
    shuffle(result, epoch_stream(seed, epoch));
    return result;
  };
  CHECK(order(5, 0) == order(5, 0));
  CHECK(order(5, 0) != order(5, 1));
  CHECK(order(5, 0) != order(6, 0));
  std::vector<index_t> sorted = order(5, 0);
  std::ranges::sort(sorted);
  for (index_t i = 0; i < 100; ++i) CHECK(sorted[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("every order of three is equally likely") {
  std::vector<int> counts(27);
  for (index_t epoch = 0; epoch < 6000; ++epoch) {
    std::vector<index_t> order{0, 1, 2};
    shuffle(order, epoch_stream(9, epoch));
    ++counts[static_cast<std::size_t>(9 * order[0] + 3 * order[1] + order[2])];
  }
  CHECK(std::ranges::count(counts, 0) == 21);
  for (const int count : counts) CHECK((count == 0 || (count > 850 && count < 1150)));
}

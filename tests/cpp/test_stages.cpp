// Work in stages: every part once, none before the stage in front of it has ended.
#include "base/stages.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace pymlp;

namespace {

int parts_of(index_t stage) { return static_cast<int>(1 + stage * 5 % 7); }

}  // namespace

TEST_CASE("every part runs once, after all of the stage before") {
  for (const int threads : {1, 2, 3, 8}) {
    for (const index_t stages : {0, 1, 2, 31, 32, 33, 100}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(stages * 8));
      std::vector<std::atomic<int>> ended(static_cast<std::size_t>(stages + 1));
      std::atomic<bool> in_order{true};
      parallel_stages(stages, threads, parts_of, [&](index_t stage, index_t part) {
        ++runs[static_cast<std::size_t>(stage * 8 + part)];
        if (stage > 0 && ended[static_cast<std::size_t>(stage - 1)] != parts_of(stage - 1)) {
          in_order = false;
        }
        ++ended[static_cast<std::size_t>(stage)];
      });
      CHECK(in_order);
      for (index_t s = 0; s < stages; ++s) {
        for (index_t p = 0; p < 8; ++p) {
          REQUIRE(runs[static_cast<std::size_t>(s * 8 + p)] == (p < parts_of(s) ? 1 : 0));
        }
      }
    }
  }
}

TEST_CASE("the most parts of a stage") {
  std::vector<std::atomic<int>> runs(kMostParts);
  parallel_stages(
      1, 4, [](index_t) { return kMostParts; },
      [&](index_t, index_t part) { ++runs[static_cast<std::size_t>(part)]; });
  for (const auto& count : runs) CHECK(count == 1);
}

TEST_CASE("an exception ends the stages, and is thrown to the caller") {
  for (const int threads : {1, 2, 4}) {
    std::atomic<int> late{0};
    const auto body = [&](index_t stage, index_t) {
      if (stage == 1) throw std::runtime_error("no");
      if (stage > 1) ++late;
    };
    CHECK_THROWS_WITH(parallel_stages(40, threads, parts_of, body), "no");
    CHECK(late == 0);
  }
}

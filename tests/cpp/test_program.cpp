// Layout and the blocks that work is shared out in: everything is somebody's, nothing twice.
#include "model/layout.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/propagation.hpp"

using namespace pymlp;

namespace {

Layout layout_of(const std::vector<index_t>& widths, bool biases = true, double dropout = 0.0) {
  return {widths, std::vector<Activation>(widths.size() - 1), biases,
          std::vector<double>(widths.size() - 2, dropout)};
}

// How many blocks own each parameter.
std::vector<int> owners(const Layout& layout, index_t batch) {
  std::vector<int> counts(static_cast<std::size_t>(layout.n_parameters()));
  for (const WeightBlock& block : weight_blocks(layout, batch, sizeof(float))) {
    const Range range = parameters_of(layout, block);
    for (index_t i = range.first; i < range.first + range.count; ++i) {
      ++counts.at(static_cast<std::size_t>(i));
    }
  }
  return counts;
}

}  // namespace

TEST_CASE("layers lie one behind the other, weights before biases") {
  const Layout layout = layout_of({2, 4, 3});
  CHECK(layout.n_parameters() == 27);
  CHECK(layout.layer(0).weights_offset == 0);
  CHECK(layout.layer(0).biases_offset == 8);
  CHECK(layout.layer(1).weights_offset == 12);
  CHECK(layout.layer(1).biases_offset == 24);
  CHECK(layout.widest() == 4);
}

TEST_CASE("without biases there is no room for them") {
  const Layout layout = layout_of({2, 4, 3}, false);
  std::vector<float> arena(20);
  CHECK(layout.n_parameters() == 20);
  CHECK(layout.biases(arena.data(), 0) == nullptr);
  CHECK(layout.weights(arena.data(), 1).data == arena.data() + 8);
}

TEST_CASE("impossible layouts are refused") {
  CHECK_THROWS_AS(Layout({3}, {}, true, {}), std::invalid_argument);
  CHECK_THROWS_AS(Layout({3, 2}, {}, true, {}), std::invalid_argument);
  CHECK_THROWS_AS(Layout({3, 2}, {{}}, true, {0.5}), std::invalid_argument);
  CHECK_THROWS_AS(layout_of({3, 2, 1}, true, 1.0), std::invalid_argument);
  CHECK_THROWS_AS(layout_of({3, 2, 1}, true, -0.1), std::invalid_argument);
  CHECK_THROWS_AS(layout_of({3, 2, 1}, true, std::nan("")), std::invalid_argument);
  CHECK_THROWS_AS(layout_of({3, 0, 2}), std::invalid_argument);
  CHECK_THROWS_AS(layout_of({3, -1}), std::invalid_argument);
  CHECK_THROWS_AS(layout_of({index_t{1} << 31, 1}), std::invalid_argument);
  CHECK_THROWS_AS(layout_of({0x7fffffff, 0x7fffffff}), std::invalid_argument);
}

TEST_CASE("dropout is of hidden layers, the last one has none") {
  const Layout layout = layout_of({3, 4, 5, 2}, true, 0.5);
  CHECK(layout.layer(0).dropout == 0.5);
  CHECK(layout.layer(1).dropout == 0.5);
  CHECK(layout.layer(2).dropout == 0.0);
}

TEST_CASE("every row is in one block") {
  for (const double operations : {1.0, 1e4, 1e9}) {
    for (index_t rows = 1; rows < 3000; ++rows) {
      const RowBlocks blocks(rows, operations);
      index_t next = 0;
      for (index_t b = 0; b < blocks.count(); ++b) {
        REQUIRE(blocks[b].first == next);
        REQUIRE(blocks[b].count >= 1);
        REQUIRE(blocks[b].count <= blocks.largest());
        next += blocks[b].count;
      }
      REQUIRE(next == rows);
    }
  }
}

TEST_CASE("every parameter is in one block of weights") {
  const std::vector<std::vector<index_t>> shapes = {{1, 1},         {2, 4, 3},   {784, 128, 10},
                                                    {1, 100000, 1}, {100000, 1}, {7, 1000, 999, 3}};
  for (const auto& widths : shapes) {
    for (const bool biases : {false, true}) {
      for (const index_t batch : {1, 64, 100000}) {
        const std::vector<int> counts = owners(layout_of(widths, biases), batch);
        CHECK(std::ranges::all_of(counts, [](int n) { return n == 1; }));
      }
    }
  }
}

TEST_CASE("small networks with large batches sum gradients by blocks of rows, others do not") {
  CHECK(sums_by_row_block(layout_of({2, 8, 8, 8, 1}), 256));
  CHECK(sums_by_row_block(layout_of({4, 32, 16, 4}), 10000));
  CHECK_FALSE(sums_by_row_block(layout_of({784, 100, 10}), 200));
  CHECK_FALSE(sums_by_row_block(layout_of({1024, 1024, 1024}), 1024));
}

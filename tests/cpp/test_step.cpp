// Step: what a plan cuts apart is put together again, bit for bit.
#include "model/step.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <vector>

#include "direct.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// A matrix for each layer.
template <class T>
struct LayerMatrices {
  LayerMatrices(const Program& program, index_t rows) {
    for (index_t l = 0; l < program.n_layers(); ++l) {
      const index_t cols = program.dense(l).n_out;
      numbers.emplace_back(static_cast<std::size_t>(rows * cols));
      views.push_back({numbers.back().data(), rows, cols, cols});
    }
  }
  std::vector<std::vector<T>> numbers;
  std::vector<MatrixView<T>> views;
};

// A network, and what a pass over a batch gives.
template <class T>
struct Fixture {
  explicit Fixture(const Program& program) : network(program) { network.initialize({}, 1); }

  const Program& program() const { return network.program(); }
  RowCuts cuts(Purpose purpose, index_t rows) const {
    return Plan(program(), purpose, rows, sizeof(T), 1, false).cut(rows);
  }
  // Loss and gradient, as a step computes them.
  std::pair<double, std::vector<T>> gradient(const Batch<T>& batch, const Loss& loss, int threads) {
    Step<T> step(program(), loss, Purpose::gradient, batch.size(), threads);
    return gradient(step, batch);
  }
  std::pair<double, std::vector<T>> gradient(Step<T>& step, const Batch<T>& batch) {
    std::vector<T> arena = arena_of<T>(program());
    const BatchLoss sums =
        step.run({.parameters = network.parameters(), .batch = batch, .gradient = arena.data()});
    return {sums.mean(), arena};
  }

  Network<T> network;
};

// Each row's share of the mean, where all count the same.
template <class T>
std::vector<T> equal_shares(index_t rows) {
  return std::vector<T>(static_cast<std::size_t>(rows),
                        static_cast<T>(1.0 / static_cast<double>(rows)));
}

template <class T>
double mean_of(const std::vector<T>& losses) {
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

template <class T>
constexpr double kRounding = sizeof(T) == 4 ? 1e-5 : 1e-12;

constexpr index_t kRows = 20'000;  // several segments of either network

}  // namespace

TEST_CASE_TEMPLATE("gradients summed over segments are those of one product over all rows", T,
                   float, double) {
  Fixture<T> fixture(classifier(kWide));
  const RowCuts cuts = fixture.cuts(Purpose::gradient, kRows);
  REQUIRE_FALSE(cuts.gradients_by_block);
  REQUIRE(cuts.segments() > 1);
  const Problem<T> problem(kRows, 260, 3, 1);
  const ArraySource<T> source = problem.with_labels();
  const Direct<T> direct({.program = fixture.program(),
                          .parameters = fixture.network.parameters(),
                          .rows = source.rows({0, kRows}),
                          .loss = kCrossEntropy,
                          .scales = equal_shares<T>(kRows)});
  const std::vector<T> expected = direct.gradient();
  for (const int threads : {1, 3}) {
    const auto [loss, gradient] =
        fixture.gradient({source, nullptr, {0, kRows}}, kCrossEntropy, threads);
    CHECK(same_bits(gradient, expected));
    CHECK(loss == doctest::Approx(mean_of(direct.losses())).epsilon(1e-12));
  }
}

TEST_CASE_TEMPLATE("gradients of blocks are added in the order of the blocks", T, float, double) {
  Fixture<T> fixture(classifier(kSmall, "relu"));
  const RowCuts cuts = fixture.cuts(Purpose::gradient, kRows);
  REQUIRE(cuts.gradients_by_block);
  REQUIRE(cuts.segments() > 1);
  const Problem<T> problem(kRows, 4, 4, 1);
  const ArraySource<T> source = problem.with_values();
  std::vector<T> expected;
  double losses = 0.0;
  for (index_t b = 0; b < cuts.blocks; ++b) {
    const Range rows = cuts.block(b);
    const std::vector<T> shares = equal_shares<T>(kRows);
    const Direct<T> direct({.program = fixture.program(),
                            .parameters = fixture.network.parameters(),
                            .rows = source.rows(rows),
                            .loss = kCrossEntropy,
                            .scales = {shares.begin(), shares.begin() + rows.count}});
    const std::vector<T> addend = direct.gradient();
    if (b == 0) expected = addend;
    for (std::size_t i = 0; b > 0 && i < addend.size(); ++i) expected[i] += addend[i];
    losses += mean_of(direct.losses()) * static_cast<double>(rows.count);
  }
  for (const int threads : {1, 3}) {
    const auto [loss, gradient] =
        fixture.gradient({source, nullptr, {0, kRows}}, kCrossEntropy, threads);
    CHECK(same_bits(gradient, expected));
    CHECK(loss == doctest::Approx(losses / static_cast<double>(kRows)).epsilon(1e-12));
  }
}

TEST_CASE_TEMPLATE("dz of every layer is that of all rows in one block", T, float, double) {
  for (const auto& widths : {kSmall, kWide}) {
    Fixture<T> fixture(classifier(widths, "silu", "linear"));
    const index_t rows = 9000;  // two segments where gradients are summed over these
    const Problem<T> problem(rows, widths.front(), widths.back(), 1);
    const ArraySource<T> source = problem.with_values();
    const Direct<T> direct({.program = fixture.program(),
                            .parameters = fixture.network.parameters(),
                            .rows = source.rows({0, rows}),
                            .loss = kMse,
                            .scales = equal_shares<T>(rows)});
    LayerMatrices<T> dz(fixture.program(), rows);
    std::vector<T> gradient = arena_of<T>(fixture.program());
    Step<T>(fixture.program(), kMse, Purpose::gradient, rows, 2)
        .run({.parameters = fixture.network.parameters(),
              .batch = {source, nullptr, {0, rows}},
              .gradient = gradient.data(),
              .dz = &dz.views});
    for (index_t l = 0; l < fixture.program().n_layers(); ++l) {
      CHECK(same_bits(dz.numbers[static_cast<std::size_t>(l)], direct.dz(l)));
    }
  }
}

TEST_CASE_TEMPLATE("a gradient at the outputs is pulled back to parameters and inputs", T, float,
                   double) {
  Fixture<T> fixture(classifier(kSmall));
  const index_t rows = 10'000;
  REQUIRE(fixture.cuts(Purpose::pull_back, rows).segments() > 1);
  const Problem<T> problem(rows, 4, 4, 1);
  const Problem<T> outputs(rows, 4, 4, 2);
  const ArraySource<T> source(problem.inputs(), {}, nullptr);
  const Direct<T> direct({.program = fixture.program(),
                          .parameters = fixture.network.parameters(),
                          .rows = source.rows({0, rows}),
                          .dy = outputs.inputs()});
  for (const int threads : {1, 3}) {
    std::vector<T> gradient = arena_of<T>(fixture.program());
    std::vector<T> dx(static_cast<std::size_t>(rows * 4));
    Step<T>(fixture.program(), Loss{}, Purpose::pull_back, rows, threads)
        .run({.parameters = fixture.network.parameters(),
              .batch = {source, nullptr, {0, rows}},
              .gradient = gradient.data(),
              .dy = outputs.inputs(),
              .dx = {dx.data(), rows, 4, 4}});
    CHECK(same_bits(gradient, direct.gradient()));
    CHECK(same_bits(dx, direct.dx()));
  }
}

TEST_CASE_TEMPLATE("rows in an order are those that lie in this order", T, float, double) {
  constexpr index_t kTotal = 10'000, kFirst = 500, kCount = 9000;
  for (const auto& widths : {kSmall, kWide}) {
    Fixture<T> fixture(classifier(widths));
    const index_t n = widths.front();
    const Problem<T> problem(kTotal, n, widths.back(), 1);
    std::vector<index_t> order(kTotal);
    for (index_t i = 0; i < kTotal; ++i) order[static_cast<std::size_t>(i)] = i * 7 % kTotal;
    Problem<T> copy(kCount, n, widths.back(), 2);
    for (index_t i = 0; i < kCount; ++i) {
      const index_t from = order[static_cast<std::size_t>(kFirst + i)];
      std::copy_n(problem.x.data() + from * n, n, copy.x.data() + i * n);
      std::copy_n(problem.values.data() + from * widths.back(), widths.back(),
                  copy.values.data() + i * widths.back());
      copy.labels[i] = problem.labels[from];
      copy.weights[i] = problem.weights[from];
    }
    const auto check_same = [&](const ArraySource<T>& source, const ArraySource<T>& copied) {
      const auto gathered =
          fixture.gradient({source, order.data(), {kFirst, kCount}}, kCrossEntropy, 2);
      const auto side_by_side = fixture.gradient({copied, nullptr, {0, kCount}}, kCrossEntropy, 2);
      CHECK(gathered.first == side_by_side.first);
      CHECK(same_bits(gathered.second, side_by_side.second));
    };
    check_same(problem.with_labels(), copy.with_labels());
    check_same(problem.with_values(), copy.with_values());
    check_same(problem.weighted(), copy.weighted());
  }
}

TEST_CASE_TEMPLATE("a row of weight 2 counts as two rows, one of weight 0 as none", T, float,
                   double) {
  for (const auto& widths : {kSmall, kWide}) {
    Fixture<T> fixture(classifier(widths));
    Problem<T> problem(400, widths.front(), widths.back(), 1);
    std::vector<index_t> repeated;
    for (index_t i = 0; i < 400; ++i) {
      problem.weights[i] = static_cast<T>(i % 3);
      repeated.insert(repeated.end(), static_cast<std::size_t>(i % 3), i);
    }
    const ArraySource<T> weighted = problem.weighted(), plain = problem.with_values();
    const auto by_weight = fixture.gradient({weighted, nullptr, {0, 400}}, kCrossEntropy, 1);
    const auto by_rows =
        fixture.gradient({plain, repeated.data(), {0, std::ssize(repeated)}}, kCrossEntropy, 1);
    CHECK(by_weight.first == doctest::Approx(by_rows.first).epsilon(kRounding<T>));
    for (std::size_t i = 0; i < by_rows.second.size(); ++i) {
      CHECK(std::abs(by_weight.second[i] - by_rows.second[i]) < kRounding<T>);
    }
  }
}

TEST_CASE("the loss of a row that has no weight may be infinite") {
  Fixture<double> fixture(classifier({2, 4, 1}, "tanh", "linear"));
  Problem<double> problem(10, 2, 1, 1);
  problem.values[7] = std::numeric_limits<double>::infinity();
  const ArraySource<double> source = problem.weighted();
  Step<double> step(fixture.program(), kMse, Purpose::loss, 10, 1);
  const auto mean = [&] {
    return step.run({fixture.network.parameters(), {source, nullptr, {0, 10}}}).mean();
  };
  CHECK(std::isinf(mean()));
  problem.weights[7] = 0.0;
  CHECK(std::isfinite(mean()));
}

TEST_CASE_TEMPLATE("a step remembers nothing of batches before", T, float, double) {
  for (const auto& widths : {kSmall, kWide}) {
    Fixture<T> fixture(classifier(widths));
    const Problem<T> problem(9000, widths.front(), widths.back(), 1);
    const ArraySource<T> source = problem.with_labels();
    Step<T> used(fixture.program(), kCrossEntropy, Purpose::gradient, 9000, 2);
    for (const Range rows : {Range{0, 9000}, Range{8000, 1000}, Range{40, 3}, Range{1000, 8000}}) {
      const Batch<T> batch{source, nullptr, rows};
      const auto [loss, gradient] = fixture.gradient(used, batch);
      const auto fresh = fixture.gradient(batch, kCrossEntropy, 2);
      CHECK(loss == fresh.first);
      CHECK(same_bits(gradient, fresh.second));
    }
  }
}

TEST_CASE_TEMPLATE("a step that is told so follows parameters that were written outside it", T,
                   float, double) {
  Fixture<T> fixture(classifier(kWide));
  const Problem<T> problem(100, 260, 3, 1);
  const ArraySource<T> source = problem.with_labels();
  const Batch<T> batch{source, nullptr, {0, 100}};
  Step<T> step(fixture.program(), kCrossEntropy, Purpose::gradient, 100, 2);
  const auto before = fixture.gradient(step, batch);
  fixture.network.initialize({}, 2);
  step.parameters_changed();
  const auto after = fixture.gradient(step, batch);
  CHECK_FALSE(same_bits(before.second, after.second));
  CHECK(same_bits(after.second, fixture.gradient(batch, kCrossEntropy, 2).second));
}

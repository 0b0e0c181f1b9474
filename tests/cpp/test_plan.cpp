// Plan: how batches are cut. Everything has its place, nothing two, and threads decide no bits.
#include "model/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <vector>

#include "custom.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// Samples are lanes only where products are the package's own.
[[maybe_unused]] const int kNativeIsChosen = setenv("PYMLP_GEMM", "native", 1);

constexpr Purpose kPurposes[] = {Purpose::training, Purpose::gradient, Purpose::pull_back,
                                 Purpose::loss,     Purpose::trace,    Purpose::predict};

const std::vector<std::vector<index_t>> kShapes = {{1, 1},         {2, 8, 8, 8, 1},  {4, 32, 16, 4},
                                                   {784, 100, 10}, {300, 160, 10},   {1, 50000, 1},
                                                   {50000, 1},     {7, 1000, 999, 3}};

constexpr index_t kBatches[] = {1,   2,   31,   32,   63,   64,    255,
                                256, 257, 1000, 8192, 8193, 20000, 100'003};

Plan plan_of(const Program& program, Purpose purpose, index_t capacity, int threads = 1) {
  return Plan(program, purpose, capacity, sizeof(float), threads, false);
}

// visit(program, purpose, rows) for every case of the lists above.
template <class Visit>
void for_cases(Visit&& visit) {
  for (const auto& widths : kShapes) {
    const Program program = classifier(widths);
    for (const Purpose purpose : kPurposes) {
      for (const index_t rows : kBatches) visit(program, purpose, rows);
    }
  }
}

}  // namespace

TEST_CASE("every row is in one block, in ascending order") {
  const auto check_rows = [](const Program& program, Purpose purpose, index_t rows) {
    const RowCuts cuts = plan_of(program, purpose, rows).cut(rows);
    index_t next = 0;
    for (index_t b = 0; b < cuts.blocks; ++b) {
      REQUIRE(cuts.block(b).first == next);
      REQUIRE(cuts.block(b).count >= 1);
      REQUIRE(cuts.block(b).count <= cuts.largest_block());
      next = cuts.block(b).end();
    }
    REQUIRE(next == rows);
    REQUIRE(cuts.largest_block() <= (cuts.lanes ? 1024 : 256));
  };
  for_cases(check_rows);
  const Program program = classifier({20, 96, 10});
  for (index_t rows = 1; rows < 3000; ++rows) check_rows(program, Purpose::training, rows);
}

TEST_CASE("every block is in one segment, in ascending order") {
  for_cases([](const Program& program, Purpose purpose, index_t rows) {
    const RowCuts cuts = plan_of(program, purpose, rows).cut(rows);
    index_t next_block = 0, next_row = 0;
    for (index_t s = 0; s < cuts.segments(); ++s) {
      REQUIRE(cuts.blocks_in(s).first == next_block);
      REQUIRE(cuts.blocks_in(s).count >= 1);
      REQUIRE(cuts.rows_in(s).first == next_row);
      REQUIRE(cuts.rows_in(s).count <= cuts.largest_segment());
      next_block = cuts.blocks_in(s).end();
      next_row = cuts.rows_in(s).end();
    }
    REQUIRE(next_block == cuts.blocks);
    REQUIRE(next_row == rows);
  });
}

// Only then are sums over segments those of one product over all rows.
TEST_CASE("segments that gradients are summed over are whole chains of products") {
  int cut = 0;
  for_cases([&](const Program& program, Purpose purpose, index_t rows) {
    const RowCuts cuts = plan_of(program, purpose, rows).cut(rows);
    if (cuts.gradients_by_block || cuts.segments() == 1) return;
    ++cut;
    for (index_t s = 0; s + 1 < cuts.segments(); ++s) REQUIRE(cuts.rows_in(s).count % 256 == 0);
  });
  CHECK(cut > 0);
}

TEST_CASE("what a step holds does not grow with the batch") {
  for_cases([](const Program& program, Purpose purpose, index_t) {
    const RowCuts cuts = plan_of(program, purpose, 1'000'000).cut(1'000'000);
    REQUIRE(cuts.largest_segment() <= 64 * (cuts.lanes ? 1024 : 256));
  });
}

TEST_CASE("every parameter is in one stretch, and so is every weight") {
  for (const auto& widths : kShapes) {
    for (const bool biases : {false, true}) {
      const Program program({widths, std::vector<Activation>(widths.size() - 1), biases,
                             std::vector<double>(widths.size() - 2, 0.5)});
      for (const index_t capacity : {1, 64, 100'000}) {
        const Plan plan = plan_of(program, Purpose::training, capacity);
        std::vector<int> owners(static_cast<std::size_t>(program.n_parameters()));
        index_t weights = 0;
        for (const Stretch& stretch : plan.stretches()) {
          for (const Range& range : parameters_of(program, stretch)) {
            for (index_t i = range.first; i < range.end(); ++i) {
              ++owners.at(static_cast<std::size_t>(i));
            }
          }
          weights += weights_of(program, stretch).count;
        }
        CHECK(std::ranges::all_of(owners, [](int n) { return n == 1; }));
        index_t expected = 0;
        for (std::size_t l = 0; l + 1 < widths.size(); ++l) expected += widths[l] * widths[l + 1];
        CHECK(weights == expected);
      }
    }
  }
}

TEST_CASE("blocks sum gradients of their own where parameters are few beside what a block holds") {
  const auto by_block = [](const Program& program, Purpose purpose, index_t rows) {
    return plan_of(program, purpose, rows).cut(rows).gradients_by_block;
  };
  for_cases([&](const Program& program, Purpose purpose, index_t rows) {
    const index_t block = plan_of(program, purpose, rows).cut(rows).largest_block();
    const bool few = 4 * program.n_parameters() <= block * program.numbers_of_a_sample();
    const bool sums = purpose == Purpose::training || purpose == Purpose::gradient;
    CHECK(by_block(program, purpose, rows) == (sums && few));
  });
  const Program tiny = classifier({1, 1});  // 2 parameters, 3 numbers of a row
  CHECK_FALSE(by_block(tiny, Purpose::training, 2));
  CHECK(by_block(tiny, Purpose::training, 3));
  CHECK(by_block(classifier({2, 8, 8, 8, 1}), Purpose::training, 256));
  CHECK(by_block(classifier({4, 32, 16, 4}), Purpose::gradient, 1'000'000));
  CHECK_FALSE(by_block(classifier({4, 32, 16, 4}), Purpose::pull_back, 1'000'000));
  CHECK_FALSE(by_block(classifier({784, 100, 10}), Purpose::training, 200));
}

TEST_CASE("no cut that decides bits depends on threads") {
  const auto decisions = [](const Plan& plan, index_t rows) {
    const RowCuts cuts = plan.cut(rows);
    std::vector<index_t> numbers{cuts.rows, cuts.blocks, cuts.rows_of_a_block,
                                 cuts.blocks_of_a_segment, cuts.gradients_by_block ? 1 : 0};
    for (const Stretch& stretch : plan.stretches()) {
      numbers.insert(numbers.end(), {stretch.operation, stretch.rows.first, stretch.rows.count});
    }
    return numbers;
  };
  for_cases([&](const Program& program, Purpose purpose, index_t rows) {
    const auto alone = decisions(plan_of(program, purpose, rows, 1), rows);
    for (const int threads : {2, 7}) {
      Plan plan = plan_of(program, purpose, rows, threads);
      REQUIRE(decisions(plan, rows) == alone);
      plan.set_threads(1);
      REQUIRE(decisions(plan, rows) == alone);
    }
  });
}

TEST_CASE("large batches are shared among threads, small ones are not") {
  const Program program = classifier({20, 96, 96, 10});
  const Plan plan = plan_of(program, Purpose::training, 1000, 7);
  CHECK(plan.cut(1000).threads == 7);
  CHECK(plan.cut(1).threads == 1);
  CHECK(plan.cut(1).threads_for_stretches == 1);
  CHECK(plan_of(classifier({1000, 1000}), Purpose::training, 16, 7).threads_for_packing() == 7);
  CHECK(plan.threads_for_packing() == 1);
}

TEST_CASE("user functions, in the program or in a loss, run on the caller's thread") {
  CustomSoftsign softsign;
  const Program own = classifier({1000, 1000, 10});
  const Program custom = program_of({1000, 1000, 10}, softsign.activation(), named("softmax"));
  const auto check_alone = [](Plan plan) {
    for (const int threads : {7, 3}) {
      CHECK(plan.threads() == 1);
      CHECK(plan.cut(1000).threads == 1);
      CHECK(plan.cut(1000).threads_for_stretches == 1);
      CHECK(plan.threads_for_packing() == 1);
      plan.set_threads(threads);
    }
  };
  for (const Purpose purpose : kPurposes) {
    check_alone(Plan(own, purpose, 1000, sizeof(float), 7, true));
    check_alone(Plan(custom, purpose, 1000, sizeof(float), 7, false));
    CHECK(Plan(own, purpose, 1000, sizeof(float), 7, false).cut(1000).threads == 7);
  }
}

TEST_CASE("a step of half a second takes long, one of half a millisecond does not") {
  const Program program = classifier({1000, 1000, 10});  // 2 million operations for a row
  CHECK(plan_of(program, Purpose::training, 10'000).takes_long(10'000));
  CHECK_FALSE(plan_of(program, Purpose::training, 10'000).takes_long(10));
}

TEST_CASE("samples are lanes where every layer is narrow, a product and an activation") {
  const auto lanes = [](const Program& program, Purpose purpose, index_t rows) {
    return plan_of(program, purpose, rows).cut(rows).lanes;
  };
  for (const Purpose purpose : {Purpose::training, Purpose::gradient, Purpose::loss}) {
    for (const index_t rows : kBatches) {
      CHECK(lanes(classifier({16, 1, 16, 2}), purpose, rows));
      CHECK(lanes(classifier({16, 16, 14}), purpose, rows));        // 510 parameters
      CHECK_FALSE(lanes(classifier({16, 16, 16}), purpose, rows));  // 544
      CHECK_FALSE(lanes(classifier({17, 3}), purpose, rows));
      CHECK_FALSE(lanes(classifier({3, 17, 3}), purpose, rows));
      CHECK_FALSE(lanes(classifier({3, 17}), purpose, rows));
      CHECK_FALSE(lanes(classifier({4, 4, 4}, "tanh", "softmax", 0.1), purpose, rows));
      CHECK_FALSE(lanes(of_every_operation({4, 4, 4}, Norm::layer), purpose, rows));
    }
  }
  CHECK(lanes(classifier({4, 4}), Purpose::predict, 100));
  CHECK_FALSE(lanes(classifier({4, 4}), Purpose::predict, 1));
  CHECK_FALSE(lanes(classifier({4, 4}), Purpose::pull_back, 100));
  CHECK_FALSE(lanes(classifier({4, 4}), Purpose::trace, 100));
}

TEST_CASE("blocks of lanes are whole groups") {
  const Program program = classifier({16, 16, 3});
  for (index_t rows = 1; rows < 20000; rows += 37) {
    const RowCuts cuts = plan_of(program, Purpose::training, rows).cut(rows);
    for (index_t b = 0; b + 1 < cuts.blocks; ++b) REQUIRE(cuts.block(b).count % 16 == 0);
  }
}

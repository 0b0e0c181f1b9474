// Plan: how batches are cut. Everything has its place, nothing two, and threads decide no bits.
#include "model/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <vector>

#include "custom.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

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

// Those of outputs alone sum nothing.
bool sums_by_segment(const Plan& plan) {
  return plan.purpose() != Purpose::predict && plan.purpose() != Purpose::trace;
}

// The largest share of `tasks` that one of `workers` has, who take them in order as they come.
double largest_share(const std::vector<double>& tasks, int workers) {
  std::vector<double> busy(static_cast<std::size_t>(workers));
  for (const double task : tasks) *std::ranges::min_element(busy) += task;
  return std::ranges::max(busy) / std::accumulate(tasks.begin(), tasks.end(), 0.0);
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
    const Plan plan = plan_of(program, purpose, 1'000'000);
    const RowCuts cuts = plan.cut(1'000'000);
    const index_t most = 64 * (plan.lanes() ? 1024 : 256);
    REQUIRE((sums_by_segment(plan) ? cuts.largest_segment() : cuts.largest_block()) <= most);
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
    const Plan plan = plan_of(program, purpose, rows);
    const index_t block = plan.cut_by_sizes(rows).largest_block();
    const bool few = 4 * program.n_parameters() <= block * program.numbers_of_a_sample();
    const bool sums = purpose == Purpose::training || purpose == Purpose::gradient;
    // Samples that are lanes always sum by block.
    CHECK(by_block(program, purpose, rows) == (sums && (few || plan.cut(rows).lanes)));
  });
  const Program tiny = classifier({1, 17});  // 34 parameters, 35 numbers of a row
  CHECK_FALSE(by_block(tiny, Purpose::training, 3));
  CHECK(by_block(tiny, Purpose::training, 4));
  CHECK(by_block(classifier({2, 8, 8, 8, 1}), Purpose::training, 256));
  CHECK(by_block(classifier({4, 32, 16, 4}), Purpose::gradient, 1'000'000));
  CHECK_FALSE(by_block(classifier({4, 32, 16, 4}), Purpose::pull_back, 1'000'000));
  CHECK_FALSE(by_block(classifier({784, 100, 10}), Purpose::training, 200));
}

TEST_CASE("no cut that decides bits depends on threads") {
  const auto decisions = [](const Plan& plan, index_t rows) {
    const RowCuts cuts = plan.cut(rows);
    std::vector<index_t> numbers{cuts.rows, cuts.gradients_by_block ? 1 : 0};
    if (cuts.kind == Blocks::of_sizes) numbers.push_back(cuts.blocks);
    for (index_t s = 0; sums_by_segment(plan) && s < cuts.segments(); ++s) {
      numbers.push_back(cuts.rows_in(s).count);
    }
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

TEST_CASE("blocks give each of any number of threads equally many rows") {
  const Program wide = classifier({784, 512, 512, 10});
  for (const Purpose purpose : kPurposes) {
    for (const int threads : {1, 2, 3, 4, 5, 6, 7, 8, 16, 64}) {
      for (const index_t rows : {33, 100, 256, 1000, 2048, 8192, 20'000}) {
        const RowCuts cuts = plan_of(wide, purpose, rows, threads).cut(rows);
        REQUIRE(cuts.kind != Blocks::of_sizes);
        if (rows < 16 * threads) continue;
        REQUIRE(cuts.threads == threads);
        // The last segment is what is left.
        const Range blocks = cuts.blocks_in(0);
        std::vector<double> tasks;
        for (index_t b = 0; b < blocks.count; ++b) {
          tasks.push_back(static_cast<double>(cuts.block(b).count));
          REQUIRE(tasks.back() >= 16);
        }
        CAPTURE(rows);
        CAPTURE(threads);
        REQUIRE(largest_share(tasks, threads) * threads <= 1.1);
      }
    }
  }
}

TEST_CASE("parts of stretches give each of any number of threads equally much to do") {
  for (const auto& widths : std::vector<std::vector<index_t>>{
           {54, 256, 256, 256, 7}, {784, 512, 512, 10}, {1024, 1024, 1024, 1024, 1024, 1024}}) {
    const Program program = classifier(widths);
    for (const int threads : {2, 3, 4, 5, 6, 7, 8, 16}) {
      const Plan plan = plan_of(program, Purpose::training, 256, threads);
      const index_t parts = plan.parts_of_stretches(threads);
      std::vector<double> tasks;
      for (const Stretch& stretch : plan.stretches()) {
        index_t next = stretch.rows.first;
        for (index_t i = 0; i < parts; ++i) {
          const Stretch part = part_of(stretch, i, parts);
          REQUIRE(part.rows.first == next);
          next = part.rows.end();
          tasks.push_back(static_cast<double>(weights_of(program, part).count));
        }
        REQUIRE(next == stretch.rows.end());
      }
      CAPTURE(widths[0]);
      CAPTURE(threads);
      CHECK(largest_share(tasks, threads) * threads <= 1.1);
    }
  }
}

TEST_CASE("what is updated at once has its gradient in the cache, where dz is there too") {
  const Program program = classifier({784, 512, 512, 10});
  for (const int threads : {1, 2, 3, 16}) {
    for (const index_t rows : {16, 32, 128, 1024}) {
      const Plan plan = plan_of(program, Purpose::training, rows, threads);
      const RowCuts cuts = plan.cut(rows);
      const index_t parts = plan.parts_of_updates(cuts);
      CAPTURE(threads);
      CAPTURE(rows);
      if (rows == 1024) {
        CHECK(parts == plan.parts_of_stretches(cuts.threads_for_stretches));
        continue;
      }
      CHECK(parts >= plan.parts_of_stretches(cuts.threads_for_stretches));
      constexpr index_t row = 512 * sizeof(float);  // and a row of biases
      const index_t bytes = plan.largest_update(cuts) * index_t{sizeof(float)};
      CHECK(bytes > 0);
      CHECK(bytes <= PlanLimits::bytes_of_an_update + 2 * row);
    }
  }
}

TEST_CASE("BLAS, whose bits depend on the rows of a product, has whole stretches") {
  const Program program = classifier({784, 512, 512, 10});
  const Plan plan(program, Purpose::training, 32, sizeof(float), 2, false, Mode::inference,
                  Arithmetic::blas);
  CHECK(plan.parts_of_updates(plan.cut(32)) == 1);
}

TEST_CASE("threads share the columns of wide operations where there are few rows") {
  const Program wide = classifier({784, 512, 512, 10});
  for (const int threads : {2, 3, 4, 5, 6, 7, 8, 16, 64}) {
    for (const index_t rows : {1, 3, 16}) {
      const Plan plan = plan_of(wide, Purpose::predict, rows, threads);
      const RowCuts cuts = plan.cut(rows);
      REQUIRE(cuts.kind == Blocks::of_columns);
      REQUIRE(cuts.blocks == 1);
      index_t next = 0;
      for (const ColumnStage& stage : plan.column_stages(rows)) {
        REQUIRE(stage.operations.first == next);
        REQUIRE(stage.parts <= threads);
        next = stage.operations.end();
        index_t column = 0, widest = 0;
        for (int part = 0; part < stage.parts; ++part) {
          const Range columns = stage.columns(part);
          REQUIRE(columns.first == column);
          REQUIRE(columns.first % ColumnStage::kUnit == 0);
          REQUIRE(columns.count >= 1);
          widest = std::max(widest, columns.count);
          column = columns.end();
        }
        REQUIRE(column == stage.n_out);
        REQUIRE(widest < (stage.n_out + stage.parts - 1) / stage.parts + ColumnStage::kUnit);
      }
      REQUIRE(next == wide.n_operations());
    }
  }
  // Too little to do for two threads, or blocks enough; a training step is cut by rows.
  const auto kind = [](const Program& program, Purpose purpose, index_t rows) {
    return plan_of(program, purpose, rows, 2).cut(rows).kind;
  };
  CHECK(kind(classifier({17, 64, 64, 6}), Purpose::predict, 1) == Blocks::of_threads);
  CHECK(kind(wide, Purpose::predict, 32) == Blocks::of_threads);
  CHECK(kind(classifier({54, 256, 256, 256, 7}), Purpose::predict, 1) == Blocks::of_threads);
  CHECK(kind(wide, Purpose::training, 16) == Blocks::of_threads);
  CHECK(kind(classifier({2, 8, 8, 8, 1}), Purpose::training, 256) == Blocks::of_sizes);
}

TEST_CASE("as many threads as the work is worth: a power of two, or all") {
  const Program program = classifier({100, 100, 10});  // 22,000 operations and more for a row
  const auto threads = [&](index_t rows) {
    return plan_of(program, Purpose::predict, rows, 7).cut(rows).threads;
  };
  CHECK(threads(10) == 1);
  CHECK(threads(24) == 2);
  CHECK(threads(48) == 4);
  CHECK(threads(60) == 4);
  CHECK(threads(200) == 7);
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
      CHECK(lanes(classifier({16, 1, 16, 2}), purpose, rows));              // 83 parameters
      CHECK(lanes(classifier({16, 16, 14}), purpose, rows) == (rows > 2));  // 510 parameters
      CHECK_FALSE(lanes(classifier({16, 16, 16}), purpose, rows));          // 544
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

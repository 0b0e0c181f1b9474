// The update of a step: done as a whole, or not at all.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "model/step.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// Arrays that count how often they are asked for rows.
class CountingSource final : public Source<double> {
 public:
  explicit CountingSource(const ArraySource<double>& arrays) : arrays_(arrays) {}

  index_t size() const override { return arrays_.size(); }
  index_t n_inputs() const override { return arrays_.n_inputs(); }
  index_t n_outputs() const override { return arrays_.n_outputs(); }
  bool has_labels() const override { return arrays_.has_labels(); }
  const double* weights() const override { return arrays_.weights(); }
  Samples<double> rows(Range range) const override {
    ++calls_;
    return arrays_.rows(range);
  }
  void gather(const index_t* rows, index_t count, MatrixView<double> x, std::int32_t* labels,
              MatrixView<double> values) const override {
    arrays_.gather(rows, count, x, labels, values);
  }
  int calls() const { return calls_; }

 private:
  ArraySource<double> arrays_;
  mutable int calls_ = 0;
};

// What a step may change.
template <class T>
struct State {
  std::vector<T> parameters;
  std::vector<T> optimizer;
  std::int64_t steps;

  bool operator==(const State& other) const {
    return steps == other.steps && same_bits(parameters, other.parameters) &&
           same_bits(optimizer, other.optimizer);
  }
};

// The states of a network before and after one step.
template <class T>
std::pair<State<T>, State<T>> around_update(const Program& program, const Loss& loss,
                                            const Source<T>& source, const Regularization& limits,
                                            Interrupt* interrupt) {
  Network<T> network(program);
  network.initialize({}, 1);
  Optimizer<T> optimizer(kAdam, program.n_parameters());
  std::vector<T> gradient = arena_of<T>(program);
  const auto state = [&] {
    return State<T>{parameters_of(network), numbers_of(optimizer.state()), optimizer.steps()};
  };
  const State<T> before = state();
  Step<T> step(program, loss, Purpose::training, source.size(), 1);
  step.update({.parameters = network.parameters(),
               .batch = {source, nullptr, {0, source.size()}},
               .gradient = gradient.data(),
               .interrupt = interrupt},
              {network, optimizer, limits});
  return {before, state()};
}

// Interrupts a step at each of its calls for rows; returns how often that left all untouched.
int untouched_by_interrupts(const Program& program, const Regularization& limits) {
  const Problem<double> problem(600, program.n_inputs(), program.n_outputs(), 1);
  const auto [before, whole] =
      around_update<double>(program, kCrossEntropy, problem.with_labels(), limits, nullptr);
  CHECK_FALSE(before == whole);
  int untouched = 0;
  for (int call = 1;; ++call) {
    const CountingSource source(problem.with_labels());
    Interrupt interrupt([&] { return source.calls() >= call; }, std::chrono::milliseconds(0));
    const State<double> after =
        around_update<double>(program, kCrossEntropy, source, limits, &interrupt).second;
    CHECK((after == before || after == whole));
    if (source.calls() < call) return untouched;
    if (after == before) ++untouched;
  }
}

// Parameters after steps of these sizes, by one optimiser.
template <class T>
std::vector<T> after_steps_of(const std::vector<index_t>& sizes, int threads) {
  const Program program = classifier({54, 256, 256, 256, 7}, "relu");
  const Problem<T> problem(256, 54, 7, 1);
  const ArraySource<T> source = problem.with_labels();
  Network<T> network(program);
  network.initialize({}, 1);
  Optimizer<T> optimizer(kAdam, program.n_parameters());
  std::vector<T> gradient = arena_of<T>(program);
  Step<T> step(program, kCrossEntropy, Purpose::training, 256, threads);
  for (const index_t size : sizes) {
    step.update({.parameters = network.parameters(),
                 .batch = {source, nullptr, {0, size}},
                 .gradient = gradient.data()},
                {network, optimizer, {}});
  }
  return parameters_of(network);
}

}  // namespace

// The fewer the workers, the more does one of them update at a time.
TEST_CASE_TEMPLATE("batches of any sizes may follow one another on any number of threads", T, float,
                   double) {
  const std::vector<index_t> sizes = {256, 1, 256, 67, 3, 256, 1, 256};
  const std::vector<T> expected = after_steps_of<T>(sizes, 1);
  for (const int threads : {2, 3, 8, 16}) {
    CAPTURE(threads);
    CHECK(same_bits(after_steps_of<T>(sizes, threads), expected));
  }
}

TEST_CASE("an interrupt in the middle of a step leaves it whole or not taken") {
  const Program small = classifier(kSmall), wide = classifier(kWide);
  const auto blocks = [](const Program& program) {
    return Plan(program, Purpose::training, 600, sizeof(double), 1, false).cut(600).blocks;
  };
  // Rows are asked for by every block; over segments, by every stretch of parameters too. Every
  // block looks for an interrupt before it begins: one that comes in the last ends the next step.
  CHECK(untouched_by_interrupts(small, {}) == blocks(small) - 1);
  CHECK(untouched_by_interrupts(wide, {}) == blocks(wide) - 1);
  // All gradients are there before the first update, so a step may be left among them.
  CHECK(untouched_by_interrupts(small, {.clip_norm = 0.01}) == blocks(small));
  CHECK(untouched_by_interrupts(wide, {.clip_norm = 0.01}) > blocks(wide));
}

TEST_CASE_TEMPLATE("a loss that is not finite updates nothing", T, float, double) {
  for (const auto& widths : {kSmall, kWide}) {
    Problem<T> problem(600, widths.front(), widths.back(), 1);
    problem.values[599] = std::numeric_limits<T>::quiet_NaN();
    const auto [before, after] = around_update<T>(classifier(widths, "relu", "linear"), kMse,
                                                  problem.with_values(), {}, nullptr);
    CHECK(before == after);
  }
}

TEST_CASE_TEMPLATE("an update after which a parameter is not finite is undone", T, float, double) {
  for (const auto& widths : {kSmall, kWide}) {
    const Program program = classifier(widths);
    const Problem<T> problem(600, widths.front(), widths.back(), 1);
    const ArraySource<T> source = problem.with_labels();
    Network<T> network(program);
    network.initialize({}, 1);
    Optimizer<T> optimizer(kAdam, program.n_parameters());
    std::vector<T> gradient = arena_of<T>(program);
    Step<T> step(program, kCrossEntropy, Purpose::training, 600, 2);
    Undo<T> undo;
    const auto update = [&] {
      return step.update({.parameters = network.parameters(),
                          .batch = {source, nullptr, {0, 600}},
                          .gradient = gradient.data()},
                         {network, optimizer, {}, &undo});
    };
    CHECK(update().updated);
    const State<T> before{parameters_of(network), numbers_of(optimizer.state()), optimizer.steps()};
    const double loss = step.run({network.parameters(), {source, nullptr, {0, 600}}}).mean();
    optimizer.set_learning_rate(std::numeric_limits<double>::infinity());
    CHECK_FALSE(update().updated);
    const State<T> after{parameters_of(network), numbers_of(optimizer.state()), optimizer.steps()};
    CHECK(after == before);
    optimizer.set_learning_rate(0.01);
    // Packed weights are those of the parameters that were put back.
    const StepResult next = update();
    CHECK(next.updated);
    CHECK(next.loss.mean() == loss);
  }
}

TEST_CASE_TEMPLATE("the loss of an update has the penalty apart", T, float, double) {
  Network<T> network(classifier(kSmall));
  network.initialize({}, 1);
  const Program& program = network.program();
  const Problem<T> problem(300, 4, 4, 1);
  const ArraySource<T> source = problem.weighted();
  const Batch<T> batch{source, nullptr, {0, 300}};
  Step<T> loss(program, kCrossEntropy, Purpose::loss, 300, 1);
  const double plain = loss.run({network.parameters(), batch}).mean();
  double magnitudes = 0.0;
  for (const T weight : parameters_of(network))
    magnitudes += static_cast<double>(std::abs(weight));  // biases are 0
  Optimizer<T> optimizer(kAdam, program.n_parameters());
  std::vector<T> gradient = arena_of<T>(program);
  const BatchLoss sums =
      Step<T>(program, kCrossEntropy, Purpose::training, 300, 1)
          .update({.parameters = network.parameters(), .batch = batch, .gradient = gradient.data()},
                  {network, optimizer, {.l1 = 0.25}})
          .loss;
  CHECK(sums.mean() == plain);
  CHECK(sums.mean_penalty() == doctest::Approx(0.25 * magnitudes).epsilon(1e-6));
  CHECK(sums.total() == doctest::Approx(sums.mean() + sums.mean_penalty()).epsilon(1e-12));
}

TEST_CASE_TEMPLATE("groups cut an update where they begin and end", T, float, double) {
  constexpr index_t n = 103;
  const OptimizerRule rule{.kind = OptimizerKind::sgd, .learning_rate = 0.5, .weight_decay = 0.25};
  const std::vector<ParameterGroup> groups = {
      {{0, 7}, 2.0, 1.0}, {{7, 1}, 0.0, 1.0}, {{40, 33}, 1.0, 0.0}, {{100, 3}, 2.0, 1.0}};
  std::vector<T> expected(n, T(1)), gradient(n, T(1));
  const auto set = [&](Range range, T to) { std::fill_n(&expected[range.first], range.count, to); };
  set({0, n}, T(1 - 0.5 * 1.25));
  set({0, 7}, T(1 - 1.0 * 1.25));
  set({7, 1}, T(1));
  set({40, 33}, T(0.5));
  set({100, 3}, T(1 - 1.0 * 1.25));
  for (const index_t stretch : {1, 5, 41, 103}) {
    Optimizer<T> optimizer(rule, n);
    optimizer.set_groups(groups);
    std::vector<T> parameters(n, T(1));
    optimizer.begin_step({});
    for (index_t first = 0; first < n; first += stretch) {
      optimizer.update(parameters.data(), gradient.data(), first, std::min(stretch, n - first));
    }
    CHECK(same_bits(parameters, expected));
  }
}

TEST_CASE("groups that overlap, leave the arena or turn round are refused") {
  Optimizer<float> optimizer(kAdam, 10);
  using Groups = std::vector<ParameterGroup>;
  for (const Groups& groups :
       {Groups{{{0, 5}}, {{4, 2}}}, Groups{{{5, 2}}, {{0, 2}}}, Groups{{{8, 3}}}, Groups{{{-1, 3}}},
        Groups{{{3, -1}}}, Groups{{{0, 1}, -1.0, 1.0}}}) {
    CHECK_THROWS(optimizer.set_groups(groups));
  }
  optimizer.set_groups({{{0, 10}, 0.0, 0.0}});
}

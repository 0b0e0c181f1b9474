// Training steps allocate nothing: every way to the heap is counted.
#include <doctest/doctest.h>

#include <numeric>

#include "allocation_counter.hpp"
#include "base/team.hpp"
#include "custom.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

const OptimizerRule kRules[] = {
    {.kind = OptimizerKind::sgd},
    {.kind = OptimizerKind::sgd, .momentum = 0.9, .nesterov = true},
    {.kind = OptimizerKind::momentum},
    {.kind = OptimizerKind::rmsprop, .momentum = 0.5, .centered = true},
    {.kind = OptimizerKind::adagrad, .initial_accumulator = 0.1},
    {.kind = OptimizerKind::adadelta},
    kAdam,
    {.kind = OptimizerKind::adam, .amsgrad = true},
    {.kind = OptimizerKind::adam, .weight_decay = 0.01, .decoupled = true},
    {.kind = OptimizerKind::adamax},
    {.kind = OptimizerKind::nadam},
    {.kind = OptimizerKind::lion},
    {.kind = OptimizerKind::schedule_free_adamw, .warm_up = 20},
};

const Regularization kLimits[] = {
    {.l1 = 1e-4, .l2 = 1e-3}, {.clip_norm = 0.1}, {.clip_value = 0.01},
    {.max_norm = 1.0},        all_limits(),
};

// The records of five epochs leave room for eight, so that these do not grow either.
template <class T>
long allocations_after_five_epochs(Session<T>& session) {
  REQUIRE(session.run(5) == Status::running);
  const long before = allocations.load();
  session.run(3);
  return allocations.load() - before;
}

template <class T>
long allocations_of(const Program& program, const OptimizerRule& rule, const Loss& loss,
                    FitOptions options, const ArraySource<T>& data,
                    const ArraySource<T>& validation) {
  options.epochs = 100;
  Session<T> session(program, rule, loss, data, options, validation);
  return allocations_after_five_epochs(session);
}

}  // namespace

TEST_CASE("the counter counts") {
  const long before = allocations.load();
  ::operator delete(::operator new(10));  // an expression `new` may be optimised away
  CHECK(allocations.load() > before);
#if defined(PYMLP_COUNT_C_ALLOCATIONS)
  for (const index_t size : {10, 10'000'000}) {  // from the heap, and in pages of its own
    const long between = allocations.load();
    const std::size_t bytes_between = allocated_bytes.load();
    const Buffer<char> buffer(size);
    CHECK(allocations.load() == between + 1);
    CHECK(allocated_bytes.load() - bytes_between >= static_cast<std::size_t>(size));
  }
#endif
}

TEST_CASE_TEMPLATE("no optimiser allocates", T, float, double) {
  Problem<T> problem(150, 5, 3, 1);
  for (const OptimizerRule& rule : kRules) {
    CHECK(allocations_of<T>(classifier({5, 16, 3}), rule, kCrossEntropy, {.batch_size = 32},
                            problem.with_labels(), problem.with_labels()) == 0);
  }
}

TEST_CASE_TEMPLATE("no way of training allocates", T, float, double) {
  Problem<T> problem(150, 5, 3, 1);
  const auto of = [&](const char* hidden, const char* output, const Loss& loss,
                      const FitOptions& options) {
    return allocations_of<T>(classifier({5, 16, 8, 3}, hidden, output), kAdam, loss, options,
                             problem.weighted(), problem.with_values());
  };
  CHECK(of("relu", "linear", kMse, {.batch_size = 1}) == 0);
  CHECK(of("relu", "softmax", kMse, {.batch_size = 32, .shuffle = false}) == 0);
  CHECK(of("tanh", "sigmoid", kBinaryCrossEntropy, {.batch_size = 150}) == 0);
  CHECK(of("sigmoid", "sigmoid", kCrossEntropy, {.batch_size = 37}) == 0);
}

TEST_CASE_TEMPLATE("no number of threads allocates", T, float, double) {
  Problem<T> problem(600, 20, 10, 1);
  for (const int threads : {1, 2, 3}) {
    CHECK(allocations_of<T>(classifier({20, 96, 96, 10}), kAdam, kCrossEntropy,
                            {.batch_size = 256, .threads = threads}, problem.with_labels(),
                            problem.with_labels()) == 0);
  }
}

TEST_CASE_TEMPLATE("no limit and no penalty allocates, dropout neither", T, float, double) {
  Problem<T> problem(600, 20, 10, 1);
  for (const Regularization& limits : kLimits) {
    for (const int threads : {1, 3}) {
      for (const double dropout : {0.0, 0.3}) {
        CHECK(allocations_of<T>(classifier({20, 96, 96, 10}, "relu", "softmax", dropout), kAdam,
                                kCrossEntropy,
                                {.batch_size = 256, .threads = threads, .regularization = limits},
                                problem.with_labels(), problem.with_labels()) == 0);
      }
    }
  }
}

TEST_CASE_TEMPLATE("no kind of operation allocates", T, float, double) {
  Problem<T> problem(601, 20, 10, 1);
  for (const Norm norm : {Norm::layer, Norm::rms, Norm::batch}) {
    for (const int threads : {1, 3}) {
      CHECK(allocations_of<T>(of_every_operation({20, 20, 96, 96, 10}, norm), kAdam, kCrossEntropy,
                              {.batch_size = 200, .threads = threads}, problem.with_labels(),
                              problem.with_labels()) == 0);
      CHECK(allocations_of<T>(of_every_operation({20, 20, 33, 10}, norm, kEmbedding), kAdam,
                              kCrossEntropy, {.batch_size = 200, .threads = threads},
                              problem.with_labels(), problem.with_labels()) == 0);
    }
  }
}

TEST_CASE_TEMPLATE("parameter groups allocate nothing", T, float, double) {
  Problem<T> problem(150, 5, 3, 1);
  Session<T> session(classifier({5, 16, 3}), kAdam, kCrossEntropy, problem.with_labels(),
                     {.epochs = 100, .batch_size = 32, .threads = 2}, problem.with_labels());
  session.optimizer().set_groups({{{0, 80}, 3.0, 1.0}, {{80, 16}, 0.5, 0.0}, {{100, 20}, 3.0}});
  CHECK(allocations_after_five_epochs(session) == 0);
}

TEST_CASE_TEMPLATE("averages allocate nothing", T, float, double) {
  Problem<T> problem(150, 5, 3, 1);
  for (const Regularization& limits : {Regularization{}, all_limits()}) {
    CHECK(allocations_of<T>(classifier({5, 16, 3}), kAdam, kCrossEntropy,
                            {.batch_size = 32, .regularization = limits, .average = 0.9},
                            problem.with_labels(), problem.with_labels()) == 0);
  }
}

TEST_CASE_TEMPLATE("no schedule allocates", T, float, double) {
  Problem<T> problem(150, 5, 3, 1);
  constexpr index_t kEpochs = 100;
  constexpr index_t kSteps = 5;  // of an epoch
  const Schedule schedules[] = {
      {.kind = ScheduleKind::constant},
      {.kind = ScheduleKind::step, .gamma = 0.999},
      {.kind = ScheduleKind::inverse_scaling, .power = 0.3},
      {.kind = ScheduleKind::cosine, .minimum = 0.001},
      {.kind = ScheduleKind::cosine, .period = 3, .restarts = true, .multiplier = 2},
      {.kind = ScheduleKind::one_cycle, .initial_divisor = 25.0, .final_divisor = 1e4},
      {.kind = ScheduleKind::flat_cos, .warm_ups = {{7, 0.1}, {3, 0.5}}},
  };
  const OptimizerRule kRmsProp{.kind = OptimizerKind::rmsprop, .momentum = 0.5};
  for (const Per per : {Per::epoch, Per::step}) {
    for (const Schedule& schedule : schedules) {
      FitOptions options{.epochs = kEpochs, .batch_size = 32};
      for (const NumberTraits& traits : kNumbers) {
        options.scheduled.push_back({number_of_name(traits.name), 0.1, per, schedule, {0, 1}});
      }
      options.scheduled.front().formula.reset();
      Session<T> session(classifier({5, 16, 8, 3}, "relu", "softmax", 0.3), kRmsProp, kCrossEntropy,
                         problem.with_labels(), options, problem.with_labels());
      session.trainer().give_values(0, std::vector<double>(kEpochs * kSteps, 0.01));
      CHECK(allocations_after_five_epochs(session) == 0);
    }
  }
}

TEST_CASE_TEMPLATE("user functions are called without allocating", T, float, double) {
  Problem<T> problem(150, 5, 1, 1);
  CustomSoftsign softsign;
  CustomSquaredError squared_error;
  const Program program = program_of({5, 16, 16, 1}, softsign.activation(), named("linear"), 0.2);
  CHECK(allocations_of<T>(program, kAdam, squared_error.loss(), {.batch_size = 64, .threads = 3},
                          problem.with_values(), problem.with_values()) == 0);
}

// ---- a step -------------------------------------------------------------------------------------

namespace {

// What steps of these sizes allocate after the first two batches had their memory reserved.
template <class T>
long allocations_of_steps(const Program& program, const Source<T>& source, const index_t* order,
                          std::initializer_list<Range> batches, Interrupt& never) {
  Network<T> network(program);
  network.initialize({}, 1);
  Optimizer<T> optimizer(kAdam, program.n_parameters());
  Buffer<T> gradient(program.n_parameters());
  Step<T> step(program, kCrossEntropy, Purpose::training, batches.begin()->count, 2);
  for (const Range& range : batches) step.reserve({source, order, range});
  const long before = allocations.load();
  const DropoutDraws draws{1, 2};
  for (const int threads : {1, 2}) {
    step.set_threads(threads);
    for (const Range& range : batches) {
      const Regularization limits = all_limits();
      step.update({.parameters = network.parameters(),
                   .batch = {source, order, range},
                   .gradient = gradient.data(),
                   .draws = &draws,
                   .interrupt = &never},
                  {network, optimizer, limits});
    }
  }
  return allocations.load() - before;
}

std::size_t bytes_of_step(index_t rows, const index_t* order) {
  const Program program = classifier(kSmall);
  // Reserving reads no numbers.
  const std::int32_t label = 0;
  const ArraySource<float> source({nullptr, rows, 4, 4}, {&label, {}}, nullptr);
  const std::size_t before = allocated_bytes.load();
  Step<float> step(program, kCrossEntropy, Purpose::training, rows, 2);
  step.reserve({source, order, {0, rows}});
  return allocated_bytes.load() - before;
}

}  // namespace

TEST_CASE_TEMPLATE("a step for which memory was reserved allocates nothing", T, float, double) {
  parallel_for(8, 2, [](index_t, index_t) {});  // now the team has its threads
  Interrupt never([] { return false; });
  for (const auto& widths : {kSmall, kWide}) {
    const Program program = classifier(widths, "relu", "softmax", 0.3);
    const Problem<T> problem(9000, widths.front(), widths.back(), 1);
    const ArraySource<T> labels = problem.with_labels(), weighted = problem.weighted();
    Buffer<index_t> order(9000);
    std::iota(order.span().begin(), order.span().end(), index_t{0});
    for (const ArraySource<T>& source : {labels, weighted}) {
      for (const bool gathers : {false, true}) {
        const auto of = [&](Range first, Range last) {
          const index_t* in = gathers ? order.data() : nullptr;
          return allocations_of_steps<T>(program, source, in, {first, last}, never);
        };
        CHECK(of({0, 9000}, {8000, 1000}) == 0);
        CHECK(of({0, 700}, {8995, 5}) == 0);
      }
    }
  }
}

#if defined(PYMLP_COUNT_C_ALLOCATIONS)
TEST_CASE("the memory of a full batch does not grow with its rows") {
  const index_t order = 0;
  for (const index_t* in : {static_cast<const index_t*>(nullptr), &order}) {
    const std::size_t small = bytes_of_step(79 * 256, in);  // 20,224 rows, in blocks of 256
    CHECK(small > 500'000);
    CHECK(bytes_of_step(3907 * 256, in) == small);
    CHECK(static_cast<double>(bytes_of_step(1'000'000, in)) <= 1.01 * static_cast<double>(small));
    CHECK(bytes_of_step(200, in) < small);
  }
}
#endif

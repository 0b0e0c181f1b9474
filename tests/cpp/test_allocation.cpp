// Training steps allocate nothing: every way to the heap is counted.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "custom.hpp"
#include "problem.hpp"

namespace {

std::atomic<long> allocations{0};

}  // namespace

// Out of line: the compiler must not see that malloc stands behind new.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#if defined(PYMLP_COUNT_C_ALLOCATIONS)
extern "C" {
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
void* __real_malloc(std::size_t bytes);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_realloc(void* memory, std::size_t bytes);

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __real_aligned_alloc(alignment, bytes);
}
void* __wrap_malloc(std::size_t bytes) {
  ++allocations;
  return __real_malloc(bytes);
}
void* __wrap_calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __real_calloc(count, bytes);
}
void* __wrap_realloc(void* memory, std::size_t bytes) {
  ++allocations;
  return __real_realloc(memory, bytes);
}
}
#endif

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
long allocations_of(const Layout& layout, const OptimizerRule& rule, const Loss& loss,
                    FitOptions options, const Dataset<T>& data, const Dataset<T>& validation) {
  options.epochs = 100;
  Session<T> session(layout, rule, loss, data, options, validation);
  return allocations_after_five_epochs(session);
}

}  // namespace

TEST_CASE("the counter counts") {
  const long before = allocations.load();
  ::operator delete(::operator new(10));  // an expression `new` may be optimised away
  CHECK(allocations.load() > before);
#if defined(PYMLP_COUNT_C_ALLOCATIONS)
  const long between = allocations.load();
  const Buffer<float> buffer(10);
  CHECK(allocations.load() == between + 1);
#endif
}

TEST_CASE_TEMPLATE("no optimiser allocates", T, float, double) {
  Samples<T> samples(150, 5, 3, 1);
  for (const OptimizerRule& rule : kRules) {
    CHECK(allocations_of<T>(classifier({5, 16, 3}), rule, kCrossEntropy, {.batch_size = 32},
                            samples.with_labels(), samples.with_labels()) == 0);
  }
}

TEST_CASE_TEMPLATE("no way of training allocates", T, float, double) {
  Samples<T> samples(150, 5, 3, 1);
  Dataset<T> weighted = samples.with_values();
  weighted.sample_weight = samples.weights.data();
  const auto of = [&](const char* hidden, const char* output, const Loss& loss,
                      const FitOptions& options) {
    return allocations_of<T>(classifier({5, 16, 8, 3}, hidden, output), kAdam, loss, options,
                             weighted, samples.with_values());
  };
  CHECK(of("relu", "linear", kMse, {.batch_size = 1}) == 0);
  CHECK(of("relu", "softmax", kMse, {.batch_size = 32, .shuffle = false}) == 0);
  CHECK(of("tanh", "sigmoid", kBinaryCrossEntropy, {.batch_size = 150}) == 0);
  CHECK(of("sigmoid", "sigmoid", kCrossEntropy, {.batch_size = 37}) == 0);
}

TEST_CASE_TEMPLATE("no number of threads allocates", T, float, double) {
  Samples<T> samples(600, 20, 10, 1);
  for (const int threads : {1, 2, 3}) {
    CHECK(allocations_of<T>(classifier({20, 96, 96, 10}), kAdam, kCrossEntropy,
                            {.batch_size = 256, .threads = threads}, samples.with_labels(),
                            samples.with_labels()) == 0);
  }
}

TEST_CASE_TEMPLATE("no limit and no penalty allocates, dropout neither", T, float, double) {
  Samples<T> samples(600, 20, 10, 1);
  for (const Regularization& limits : kLimits) {
    for (const int threads : {1, 3}) {
      for (const double dropout : {0.0, 0.3}) {
        CHECK(allocations_of<T>(classifier({20, 96, 96, 10}, "relu", "softmax", dropout), kAdam,
                                kCrossEntropy,
                                {.batch_size = 256, .threads = threads, .regularization = limits},
                                samples.with_labels(), samples.with_labels()) == 0);
      }
    }
  }
}

TEST_CASE_TEMPLATE("no schedule allocates", T, float, double) {
  Samples<T> samples(150, 5, 3, 1);
  constexpr std::size_t kEpochs = 100;
  constexpr std::size_t kSteps = 5;  // of an epoch
  for (const std::size_t rates : {kEpochs, kEpochs * kSteps}) {
    CHECK(allocations_of<T>(classifier({5, 16, 3}), kAdam, kCrossEntropy,
                            {.batch_size = 32, .learning_rates = std::vector<double>(rates, 0.01)},
                            samples.with_labels(), samples.with_labels()) == 0);
  }
}

TEST_CASE_TEMPLATE("functions of somebody else's are called without allocating", T, float, double) {
  Samples<T> samples(150, 5, 1, 1);
  CustomSoftsign softsign;
  CustomSquaredError squared_error;
  const Layout layout = layout_of({5, 16, 16, 1}, softsign.activation(), named("linear"), 0.2);
  CHECK(allocations_of<T>(layout, kAdam, squared_error.loss(), {.batch_size = 64, .threads = 3},
                          samples.with_values(), samples.with_values()) == 0);
}

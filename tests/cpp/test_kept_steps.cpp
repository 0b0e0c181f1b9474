// Calls beside training use the step of the call before again: what is kept, how much, by whom.
#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

#include "allocation_counter.hpp"
#include "model/kept_steps.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// Networks whose calls are made one after the other.
template <class T>
struct Calls {
  explicit Calls(const Program& program) : network(program) { network.initialize({}, 1); }

  using Use = typename KeptSteps<T>::Use;
  static Use gradient_of(index_t rows, int threads = 1, Mode mode = Mode::inference) {
    return {Purpose::gradient, mode, kCrossEntropy, rows, threads, Arithmetic::exact};
  }

  // The gradient of the first rows of a problem, and how much it allocates beside it.
  std::vector<T> gradient(const ArraySource<T>& source, const Use& use) {
    std::vector<T> gradient = arena_of<T>(network.program());
    const long before = allocations.load();
    const DropoutDraws draws{3, 0};
    kept.with_step(network.program(), use, [&](Step<T>& step) {
      step.run({.parameters = network.parameters(),
                .batch = {source, nullptr, {0, use.rows}},
                .gradient = gradient.data(),
                .draws = use.mode == Mode::training ? &draws : nullptr});
    });
    allocated = allocations.load() - before;
    return gradient;
  }

  Network<T> network;
  KeptSteps<T> kept;
  long allocated = 0;
};

}  // namespace

TEST_CASE_TEMPLATE("the second call of a kind allocates nothing", T, float, double) {
  Problem<T> problem(200, 4, 4, 1);
  for (const auto& widths : {kSmall, std::vector<index_t>{4, 300, 300, 4}}) {
    for (const int threads : {1, 3}) {
      Calls<T> calls(classifier(widths));
      const auto use = Calls<T>::gradient_of(200, threads);
      const std::vector<T> first = calls.gradient(problem.with_labels(), use);
      CHECK(calls.allocated > 0);
      CHECK(same_bits(calls.gradient(problem.with_labels(), use), first));
      CHECK(calls.allocated == 0);
      calls.kept.clear();
      CHECK(same_bits(calls.gradient(problem.with_labels(), use), first));
      CHECK(calls.allocated > 0);
    }
  }
}

TEST_CASE_TEMPLATE("a call of another kind has the bits of a new step", T, float, double) {
  Problem<T> problem(200, 4, 4, 1);
  Calls<T> calls(classifier(kSmall, "tanh", "softmax", 0.3));
  const auto fresh = [&](const typename Calls<T>::Use& use) {
    Calls<T> once(calls.network.program());
    std::copy_n(calls.network.parameters(), calls.network.program().arena_size(),
                once.network.parameters());
    return once.gradient(problem.with_labels(), use);
  };
  for (const Mode mode : {Mode::inference, Mode::training}) {
    for (const index_t rows : {200, 120, 1, 64, 63, 200}) {
      for (const int threads : {1, 2, 1}) {
        calls.network.parameters()[rows] += T(0.5);
        const auto use = Calls<T>::gradient_of(rows, threads, mode);
        CHECK(same_bits(calls.gradient(problem.with_labels(), use), fresh(use)));
      }
    }
  }
}

TEST_CASE("a step of much memory is not kept") {
  constexpr index_t kRows = 6000;  // of 4 x 256 numbers each
  Problem<float> problem(kRows, 4, 4, 1);
  Calls<float> calls(classifier({4, 256, 256, 4}));
  const auto use = Calls<float>::gradient_of(kRows);
  calls.gradient(problem.with_labels(), use);
  calls.gradient(problem.with_labels(), use);
  CHECK(calls.allocated > 0);
  calls.gradient(problem.with_labels(), Calls<float>::gradient_of(40));
  calls.gradient(problem.with_labels(), Calls<float>::gradient_of(40));
  CHECK(calls.allocated == 0);
}

TEST_CASE("a step that is in use is nobody else's, and one of them is kept") {
  KeptSteps<float> kept;
  const Program program = classifier(kSmall);
  const auto use = Calls<float>::gradient_of(10);
  const Step<float>*first = nullptr, *second = nullptr;
  kept.with_step(program, use, [&](Step<float>& outer) {
    first = &outer;
    std::thread([&] {
      kept.with_step(program, use, [&](Step<float>& inner) { second = &inner; });
    }).join();
    CHECK(second != first);
  });
  kept.with_step(program, use, [&](Step<float>& step) { CHECK(&step == first); });
}

TEST_CASE("a step whose use throws is not kept") {
  KeptSteps<float> kept;
  const Program program = classifier(kSmall);
  const auto use = Calls<float>::gradient_of(10);
  const auto allocated = [&] {
    const long before = allocations.load();
    kept.with_step(program, use, [](Step<float>&) {});
    return allocations.load() - before;
  };
  CHECK(allocated() > 0);
  CHECK(allocated() == 0);
  CHECK_THROWS_AS(
      kept.with_step(program, use, [](Step<float>&) { throw std::runtime_error("in use"); }),
      std::runtime_error);
  CHECK(allocated() > 0);
}

TEST_CASE("a number of threads that cannot be is refused by a kept step too") {
  KeptSteps<float> kept;
  const Program program = classifier(kSmall);
  kept.with_step(program, Calls<float>::gradient_of(10), [](Step<float>&) {});
  CHECK_THROWS_AS(kept.with_step(program, Calls<float>::gradient_of(10, 0), [](Step<float>&) {}),
                  std::invalid_argument);
}

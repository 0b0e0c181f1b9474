// User functions: they train like the core's own, and may throw.
#include <doctest/doctest.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "custom.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

TEST_CASE_TEMPLATE("user functions train as the core's own do", T, float, double) {
  Problem<T> problem(1000, 20, 1, 14);
  const std::thread::id caller = std::this_thread::get_id();
  bool elsewhere = false;
  const auto watch = [&] { elsewhere = elsewhere || std::this_thread::get_id() != caller; };
  CustomSoftsign softsign(watch);
  CustomSquaredError squared_error(watch);
  const auto trained = [&](const Activation& hidden, const Loss& loss, int threads) {
    Session<T> session(program_of({20, 96, 96, 1}, hidden, named("linear"), 0.2), kAdam, loss,
                       problem.with_values(), wide_batches(threads));
    CHECK(session.run() == Status::epochs);
    return session.parameters();
  };
  const std::vector<T> own = trained(named("softsign"), kMse, 1);
  CHECK(same_bits(trained(softsign.activation(), kMse, 4), own));
  CHECK(same_bits(trained(named("softsign"), squared_error.loss(), 4), own));
  CHECK(same_bits(trained(softsign.activation(), squared_error.loss(), 4), own));
  CHECK_FALSE(elsewhere);
}

namespace {

struct Thrown {};

// Throws at the given call, counted from 1, and at no other.
struct ThrowAt {
  int* calls;
  int call;

  void operator()() const {
    if (++*calls == call) throw Thrown{};
  }
};

// What a step may change: parameters, state, and the number of steps.
template <class T>
struct Snapshot {
  explicit Snapshot(Session<T>& session)
      : parameters(session.parameters()),
        state(numbers_of(session.optimizer().state())),
        steps(session.optimizer().steps()) {}
  bool operator==(const Snapshot& other) const {
    return steps == other.steps && same_bits(parameters, other.parameters) &&
           same_bits(state, other.state);
  }

  std::vector<T> parameters;
  std::vector<T> state;
  std::int64_t steps;
};

// Trains in single steps while user functions throw once, at the given call. A step is then whole,
// where validation threw, or it was not taken; after it, training goes on.
template <class T>
Snapshot<T> trained_through(int call) {
  Problem<T> problem(300, 5, 1, 15);
  int calls = 0;
  CustomSoftsign softsign(ThrowAt{&calls, call});
  CustomSquaredError squared_error(ThrowAt{&calls, call});
  Session<T> session(
      program_of({5, 16, 16, 1}, softsign.activation(), named("linear"), 0.2), kAdam,
      squared_error.loss(), problem.with_values(),
      {.epochs = 3, .batch_size = 128, .seed = 5, .threads = 3, .regularization = all_limits()},
      problem.with_values());
  Status status = Status::running;
  while (status == Status::running) {
    const Snapshot<T> before(session);
    try {
      status = session.step();
    } catch (const Thrown&) {
      const Snapshot<T> after(session);
      CHECK((after == before || after.steps == before.steps + 1));
    }
  }
  CHECK(status == Status::epochs);
  CHECK(session.history().loss.size() == 3);
  CHECK(calls >= call);
  return Snapshot<T>(session);
}

}  // namespace

TEST_CASE_TEMPLATE("an exception of a user function reaches the caller and costs nothing", T, float,
                   double) {
  const Snapshot<T> undisturbed = trained_through<T>(0);
  for (int call = 1; call <= 60; ++call) {
    INFO("call ", call);
    CHECK(trained_through<T>(call) == undisturbed);
  }
}

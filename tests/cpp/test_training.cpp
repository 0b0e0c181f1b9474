// Training as a whole: it learns, on any number of threads the same, and what ends it leaves order.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "base/float_mode.hpp"
#include "custom.hpp"
#include "model/inference.hpp"
#include "problem.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

constexpr OptimizerRule kAdam{.kind = OptimizerKind::adam, .learning_rate = 0.01};
constexpr OptimizerRule kSgd{.kind = OptimizerKind::sgd, .learning_rate = 0.1};

// Large enough that steps are shared among threads.
FitOptions wide_batches(int threads) {
  return {.epochs = 3, .batch_size = 256, .seed = 5, .threads = threads};
}

// Everything at once that a step can be asked for.
Regularization all_limits() {
  return {.l1 = 1e-4, .l2 = 1e-3, .clip_norm = 0.05, .clip_value = 0.01, .max_norm = 1.5};
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

}  // namespace

TEST_CASE_TEMPLATE("a network learns what no straight line tells apart", T, float, double) {
  Samples<T> samples(400, 2, 2, 1);
  const FitOptions options{.epochs = 150, .batch_size = 32};
  SUBCASE("labels") {
    Session<T> session(classifier({2, 16, 2}), kAdam, kCrossEntropy, samples.with_labels(),
                       options);
    CHECK(session.run() == Status::epochs);
    CHECK(session.history().loss.size() == 150);
    CHECK(session.history().loss.back() < 0.1);
  }
  SUBCASE("values") {
    Session<T> session(classifier({2, 16, 2}, "relu", "linear"), kAdam, kMse, samples.with_values(),
                       options);
    CHECK(session.run() == Status::epochs);
    CHECK(session.history().loss.back() < 0.05);
  }
}

TEST_CASE_TEMPLATE("parameters are the same bits on any number of threads", T, float, double) {
  Samples<T> samples(1000, 20, 10, 2);
  const Layout layout = classifier({20, 96, 96, 10}, "relu");
  const auto trained = [&](int threads) {
    Session<T> session(layout, kAdam, kCrossEntropy, samples.with_labels(), wide_batches(threads));
    session.run();
    return session.parameters();
  };
  const std::vector<T> alone = trained(1);
  for (const int threads : {2, 3, 8}) CHECK(same_bits(trained(threads), alone));
}

TEST_CASE_TEMPLATE("so they are with dropout, and with every limit on gradients and weights", T,
                   float, double) {
  Samples<T> samples(1000, 20, 10, 2);
  const auto trained = [&](double dropout, const Regularization& limits, int threads) {
    FitOptions options = wide_batches(threads);
    options.regularization = limits;
    Session<T> session(classifier({20, 96, 96, 10}, "relu", "softmax", dropout), kAdam,
                       kCrossEntropy, samples.with_labels(), options);
    CHECK(session.run() == Status::epochs);
    return session.parameters();
  };
  const std::vector<T> plain = trained(0.0, {}, 1);
  const std::pair<double, Regularization> kinds[] = {
      {0.4, {}}, {0.0, {.clip_norm = 0.05}}, {0.4, all_limits()}};
  for (const auto& [dropout, limits] : kinds) {
    const std::vector<T> alone = trained(dropout, limits, 1);
    CHECK_FALSE(same_bits(alone, plain));
    for (const int threads : {2, 3, 8}) CHECK(same_bits(trained(dropout, limits, threads), alone));
  }
}

TEST_CASE_TEMPLATE("so they are when the caller rounds in a way of his own", T, float, double) {
  Samples<T> samples(1000, 20, 10, 2);
  const auto trained = [&](int threads) {
    Session<T> session(classifier({20, 96, 96, 10}), kAdam, kCrossEntropy, samples.with_labels(),
                       wide_batches(threads));
    session.run();
    return session.parameters();
  };
  const std::vector<T> nearest = trained(4);  // now the team exists, with the ordinary mode
  const auto trained_upward = [&](int threads) {
    const FloatMode before = float_mode();
    std::fesetround(FE_UPWARD);
    std::vector<T> result = trained(threads);
    CHECK(std::fegetround() == FE_UPWARD);
    set_float_mode(before);
    return result;
  };
  const std::vector<T> upward = trained_upward(1);
  CHECK_FALSE(same_bits(upward, nearest));
  CHECK(same_bits(trained_upward(4), upward));
  CHECK(same_bits(trained(4), nearest));
}

TEST_CASE_TEMPLATE("a pass with room for dropout drops nothing unless told to", T, float, double) {
  Samples<T> samples(60, 3, 2, 12);
  const Dataset<T> data = samples.with_labels();
  Network<T> network(classifier({3, 8, 8, 2}, "tanh", "softmax", 0.5));
  network.initialize({}, 1);
  const auto gradient_of = [&](Dropout dropout) {
    BatchPass<T> pass(network.layout(), kCrossEntropy, 60, 1, dropout);
    std::vector<T> gradient(static_cast<std::size_t>(network.layout().n_parameters()));
    pass.gradient(network.parameters(), {data, nullptr, 0, 60}, gradient.data());
    return gradient;
  };
  CHECK(same_bits(gradient_of(Dropout::on), gradient_of(Dropout::off)));
}

TEST_CASE_TEMPLATE("rates for each epoch, and the same for each step, train alike", T, float,
                   double) {
  Samples<T> samples(100, 3, 2, 13);
  constexpr std::size_t kSteps = 7;  // of an epoch
  std::vector<double> epochs;
  std::vector<double> steps;
  for (const double rate : {0.1, 0.03, 0.2}) {
    epochs.push_back(rate);
    steps.insert(steps.end(), kSteps, rate);
  }
  const auto trained = [&](const std::vector<double>& rates) {
    Session<T> session(classifier({3, 8, 2}), kSgd, kCrossEntropy, samples.with_labels(),
                       {.epochs = 3, .batch_size = 16, .learning_rates = rates});
    CHECK(session.run() == Status::epochs);
    CHECK(session.history().learning_rate == epochs);
    return session.parameters();
  };
  CHECK(same_bits(trained(epochs), trained(steps)));
}

TEST_CASE_TEMPLATE("looks in between change nothing", T, float, double) {
  Samples<T> samples(100, 3, 2, 3);
  const auto session_of = [&] {
    return Session<T>(classifier({3, 8, 2}), kSgd, kCrossEntropy, samples.with_labels(),
                      {.epochs = 4, .batch_size = 16});
  };
  auto whole = session_of();
  auto stepped = session_of();
  CHECK(whole.run() == Status::epochs);
  while (stepped.step() == Status::running) {
  }
  CHECK(stepped.optimizer().steps() == 4 * 7);
  CHECK(same_bits(whole.parameters(), stepped.parameters()));
  CHECK(whole.history().loss == stepped.history().loss);
}

TEST_CASE_TEMPLATE("a pulse that says stop leaves whole steps", T, float, double) {
  Samples<T> samples(1000, 20, 10, 4);
  Regularization limits;
  SUBCASE("plain") {}
  SUBCASE("limited") { limits = all_limits(); }
  const auto session_of = [&] {
    FitOptions options = wide_batches(3);
    options.epochs = 1'000'000;
    options.regularization = limits;
    return Session<T>(classifier({20, 64, 64, 10}, "relu"), kSgd, kCrossEntropy,
                      samples.with_labels(), options);
  };
  auto stopped = session_of();
  int asked = 0;
  Pulse third_time([&] { return ++asked == 3; });
  CHECK(stopped.trainer().run(1'000'000, kForever, third_time) == Status::interrupted);
  CHECK(asked == 3);
  CHECK(stopped.optimizer().steps() > 0);
  auto counted = session_of();
  while (counted.optimizer().steps() < stopped.optimizer().steps()) counted.step();
  CHECK(same_bits(stopped.parameters(), counted.parameters()));
  CHECK(stopped.run() == Status::interrupted);  // over is over
}

TEST_CASE_TEMPLATE("divergence takes back the epoch", T, float, double) {
  Samples<T> samples(100, 3, 2, 5);
  Session<T> session(classifier({3, 8, 2}, "relu", "linear"), kAdam, kMse, samples.with_values(),
                     {.epochs = 10, .batch_size = 16});
  CHECK(session.run(2) == Status::running);
  const std::vector<T> before = session.parameters();
  const auto state = session.optimizer().state().span();
  const std::vector<T> state_before(state.begin(), state.end());
  session.optimizer().set_learning_rate(1e300);
  CHECK(session.run() == Status::diverged);
  CHECK(same_bits(session.parameters(), before));
  CHECK(std::ranges::equal(session.optimizer().state().span(), state_before));
  CHECK(session.optimizer().steps() == 2 * 7);
  CHECK(session.history().loss.size() == 2);
}

TEST_CASE("a last step that spoils the parameters counts as divergence") {
  Samples<float> samples(16, 3, 2, 6);
  Session<float> session(classifier({3, 8, 2}, "relu", "linear"), kSgd, kMse, samples.with_values(),
                         {.epochs = 1, .batch_size = 16});
  const std::vector<float> before = session.parameters();
  session.optimizer().set_learning_rate(1e300);
  CHECK(session.run() == Status::diverged);
  CHECK(same_bits(session.parameters(), before));
}

TEST_CASE("early stopping leaves the best parameters") {
  Samples<float> samples(64, 3, 2, 7);
  Samples<float> held_out(64, 3, 2, 8);
  const FitOptions options{
      .epochs = 1000, .batch_size = 8, .early_stopping = EarlyStopping{.patience = 5}};
  Session<float> session(classifier({3, 32, 2}), kAdam, kCrossEntropy, samples.with_labels(),
                         options, held_out.with_labels());
  CHECK(session.run() == Status::early_stopping);
  const auto& losses = session.history().validation_loss;
  const auto best = std::ranges::min_element(losses);
  CHECK(losses.end() - best == 6);
  BatchPass<float> pass(session.network().layout(), kCrossEntropy, 64, 1);
  CHECK(dataset_loss(pass, session.network().parameters(), held_out.with_labels()).mean() == *best);
}

TEST_CASE_TEMPLATE("functions of somebody else's train as the core's own do", T, float, double) {
  Samples<T> samples(1000, 20, 1, 14);
  const std::thread::id caller = std::this_thread::get_id();
  bool elsewhere = false;
  const auto watch = [&] { elsewhere = elsewhere || std::this_thread::get_id() != caller; };
  CustomSoftsign softsign(watch);
  CustomSquaredError squared_error(watch);
  const auto trained = [&](const Activation& hidden, const Loss& loss, int threads) {
    Session<T> session(layout_of({20, 96, 96, 1}, hidden, named("linear"), 0.2), kAdam, loss,
                       samples.with_values(), wide_batches(threads));
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
      : parameters(session.parameters()), steps(session.optimizer().steps()) {
    const auto span = session.optimizer().state().span();
    state.assign(span.begin(), span.end());
  }
  bool operator==(const Snapshot& other) const {
    return steps == other.steps && same_bits(parameters, other.parameters) &&
           same_bits(state, other.state);
  }

  std::vector<T> parameters;
  std::vector<T> state;
  std::int64_t steps;
};

// Trains in single steps while functions of somebody else's throw once, at the given call. A step
// is then whole, where validation threw, or it was not taken; after it, training goes on.
template <class T>
Snapshot<T> trained_through(int call) {
  Samples<T> samples(300, 5, 1, 15);
  int calls = 0;
  CustomSoftsign softsign(ThrowAt{&calls, call});
  CustomSquaredError squared_error(ThrowAt{&calls, call});
  Session<T> session(layout_of({5, 16, 16, 1}, softsign.activation(), named("linear"), 0.2), kAdam,
                     squared_error.loss(), samples.with_values(),
                     {.epochs = 3,
                      .batch_size = 128,
                      .seed = 5,
                      .threads = 3,
                      .early_stopping = EarlyStopping{.patience = 100},
                      .regularization = all_limits()},
                     samples.with_values());
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

TEST_CASE_TEMPLATE("an exception of somebody else's reaches the caller and costs nothing", T, float,
                   double) {
  const Snapshot<T> undisturbed = trained_through<T>(0);
  for (int call = 1; call <= 140; ++call) {
    INFO("call ", call);
    CHECK(trained_through<T>(call) == undisturbed);
  }
}

TEST_CASE("time that is up cuts an epoch short") {
  Samples<float> samples(1000, 20, 10, 9);
  Session<float> session(classifier({20, 64, 10}), kSgd, kCrossEntropy, samples.with_labels(),
                         {.epochs = 1'000'000, .batch_size = 10, .max_seconds = 0.05});
  CHECK(session.run() == Status::max_seconds);
  CHECK(session.trainer().seconds() >= 0.05);
  CHECK(session.trainer().seconds() < 5.0);
  CHECK(std::isfinite(session.history().loss.back()));
}

namespace {

// Compares a gradient with the central differences of loss() in every parameter.
template <class LossOf>
void check_slopes(Network<double>& network, const std::vector<double>& gradient, LossOf loss) {
  constexpr double step = 1e-5;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    double& w = network.parameters()[i];
    const double value = w;
    w = value + step;
    const double above = loss();
    w = value - step;
    const double below = loss();
    w = value;
    CHECK(std::abs(gradient[i] - (above - below) / (2.0 * step)) < 1e-8);
  }
}

Network<double> small_network(double dropout) {
  return Network<double>({{3, 5, 4, 2},
                          {named("tanh"), named("elu", {1.5}), named("sigmoid")},
                          true,
                          {dropout, dropout}});
}

}  // namespace

TEST_CASE("a batch's gradient agrees with central differences") {
  Network<double> network = small_network(0.0);
  network.initialize({}, 1);
  Samples<double> samples(40, 3, 2, 10);
  Dataset<double> data = samples.with_values();
  data.sample_weight = samples.weights.data();
  BatchPass<double> pass(network.layout(), kBinaryCrossEntropy, 40, 2);
  const Batch<double> batch{data, nullptr, 0, 40};
  std::vector<double> gradient(static_cast<std::size_t>(network.layout().n_parameters()));
  pass.gradient(network.parameters(), batch, gradient.data());
  check_slopes(network, gradient, [&] { return pass.loss(network.parameters(), batch).mean(); });
}

TEST_CASE("so does that of a step with dropout and penalties") {
  Network<double> network = small_network(0.4);
  network.initialize({}, 1);
  Samples<double> samples(40, 3, 2, 10);
  const Dataset<double> data = samples.with_values();
  BatchPass<double> pass(network.layout(), kBinaryCrossEntropy, 40, 2, Dropout::on);
  // A rate of 0: steps compute and change nothing. Draws of one number: all drop the same units.
  Optimizer<double> still({.learning_rate = 0.0}, network.layout().n_parameters());
  std::vector<double> gradient(static_cast<std::size_t>(network.layout().n_parameters()));
  const auto step = [&] {
    return pass
        .step(network.parameters(), {data, nullptr, 0, 40}, gradient.data(), still,
              {.l1 = 0.01, .l2 = 0.1}, DropoutDraws{3, 7}, nullptr)
        .mean();
  };
  step();
  check_slopes(network, std::vector<double>(gradient), step);
}

TEST_CASE("predictions of threads at the same time are those of one alone") {
  Network<float> network(classifier({20, 96, 96, 10}, "relu"));
  network.initialize({}, 3);
  Samples<float> samples(700, 20, 10, 11);
  const auto predicted = [&](int threads) {
    std::vector<float> y(700 * 10);
    predict<float>(network.layout(), network.parameters(), samples.inputs(),
                   {y.data(), 700, 10, 10}, threads);
    return y;
  };
  const std::vector<float> alone = predicted(1);
  std::vector<std::thread> callers;
  std::atomic<int> differences{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        if (!same_bits(predicted(3), alone)) ++differences;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(differences.load() == 0);
}

// A byte string chooses a network, rows and options: it is refused by an exception, or it predicts,
// has gradients and learns, and these are the same bits on one thread and on several.
#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <stdexcept>

#include "../tests/cpp/problem.hpp"
#include "model/predict.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

constexpr index_t kMostNumbers = 20'000;  // of an arena: all else shall be quick

int from(FuzzedDataProvider& bytes, int low, int high) {
  return bytes.ConsumeIntegralInRange(low, high);
}

template <class Table>
const auto& one_of(FuzzedDataProvider& bytes, const Table& table) {
  return table[bytes.ConsumeIntegralInRange<std::size_t>(0, std::size(table) - 1)];
}

template <class Value>
Value one_of(FuzzedDataProvider& bytes, std::initializer_list<Value> values) {
  return values.begin()[bytes.ConsumeIntegralInRange<std::size_t>(0, values.size() - 1)];
}

double share(FuzzedDataProvider& bytes) { return one_of(bytes, {0.0, 0.3, 1e-9, 0.999, 1.0}); }

// ---- what a network is
// ---------------------------------------------------------------------------

index_t width(FuzzedDataProvider& bytes) {
  const int kind = from(bytes, 0, 40);
  if (kind == 0)
    return one_of(bytes, {index_t{0}, index_t{-1}, index_t{1} << 31, index_t{1} << 29});
  if (kind < 8) return one_of(bytes, {index_t{64}, index_t{130}, index_t{96}});
  return from(bytes, 1, 40);
}

Activation activation(FuzzedDataProvider& bytes) {
  const ActivationTraits& traits = one_of(bytes, kActivations);
  Activation made{traits.kind};
  if (traits.kind == ActivationKind::custom) made.kind = ActivationKind::relu;
  for (double& parameter : made.parameters) parameter = one_of(bytes, {1.0, 0.01, 0.0, -2.0, 1e30});
  return made;
}

std::vector<ColumnEmbedding> embedding(FuzzedDataProvider& bytes, index_t n_inputs) {
  std::vector<ColumnEmbedding> columns;
  if (from(bytes, 0, 3) != 0) return columns;
  index_t column = from(bytes, 0, 3);
  for (int i = from(bytes, 1, 4); i > 0 && column < n_inputs; --i, column += from(bytes, 0, 3)) {
    const auto kind = static_cast<ColumnKind>(from(bytes, 1, 3));
    ColumnEmbedding one{kind, column, from(bytes, 0, 20), from(bytes, 0, 20)};
    if (kind == ColumnKind::periodic) one.constants = {one_of(bytes, {0.1, 0.0, 1e20})};
    if (kind == ColumnKind::piecewise_linear) {
      for (index_t r = 0; r <= one.size; ++r) one.constants.push_back(0.25 * double(r) - 1.0);
    }
    columns.push_back(one);
  }
  return columns;
}

Architecture architecture(FuzzedDataProvider& bytes) {
  Architecture of;
  for (int n = from(bytes, 1, 6); n > 0; --n) of.widths.push_back(width(bytes));
  const auto layers = of.widths.size() - 1;
  for (std::size_t l = 0; l < layers; ++l) of.activations.push_back(activation(bytes));
  for (std::size_t l = 0; l + 1 < layers; ++l) of.dropout.push_back(0.0);
  if (bytes.ConsumeBool()) std::fill(of.dropout.begin(), of.dropout.end(), share(bytes));
  of.has_biases = bytes.ConsumeBool();
  of.residual = bytes.ConsumeBool();
  of.scale_inputs = bytes.ConsumeBool();
  if (from(bytes, 0, 3) == 0) of.input_dropout = share(bytes);
  of.norm = static_cast<Norm>(from(bytes, 0, 3));
  if (from(bytes, 0, 3) == 0) of.parametric.assign(layers, true);
  if (!of.parametric.empty()) of.parametric.back() = bytes.ConsumeBool();
  of.embedding = embedding(bytes, of.widths.front());
  return of;
}

// ---- what it sees
// --------------------------------------------------------------------------------

// Numbers that are small, with some odd ones where these are asked for.
template <class T>
T number(FuzzedDataProvider& bytes, Random& random, bool odd) {
  if (!odd || bytes.remaining_bytes() == 0) return static_cast<T>(2.0 * random.uniform() - 1.0);
  return static_cast<T>(
      one_of(bytes, {0.0, -0.0, 1.0, -3.5, 1e-300, 1e30, -1e30, 1e-40, 16777216.0, 0.1}));
}

template <class T>
struct Rows {
  Rows(FuzzedDataProvider& bytes, const Program& program, const Loss& loss)
      : m(from(bytes, 1, 400)),
        n_in(program.n_inputs()),
        n_out(program.n_outputs()),
        x(m * n_in),
        values(m * n_out),
        labels(m),
        weights(m) {
    Random random(bytes.ConsumeIntegral<std::uint64_t>(), 0);
    const bool odd = from(bytes, 0, 3) == 0;
    for (T& one : x.span()) one = number<T>(bytes, random, odd);
    if (program.embedded() != nullptr) write_codes(*program.embedded(), random);
    for (index_t i = 0; i < m; ++i) {
      weights[i] = static_cast<T>(random.uniform());
      labels[i] = static_cast<std::int32_t>(random.uniform() * double(n_out));
      for (index_t k = 0; k < n_out; ++k) values[i * n_out + k] = k == labels[i] ? T(1) : T(0);
      if (loss.kind != LossKind::hinge) continue;
      for (index_t k = 0; k < n_out; ++k) values[i * n_out + k] = k == labels[i] ? T(1) : T(-1);
    }
    weights[0] = T(1);
  }

  // Python refuses rows with other codes.
  void write_codes(const EmbeddedInputs& inputs, Random& random) {
    for (const EmbeddedColumns& of : inputs.columns()) {
      if (of.kind != ColumnKind::categories) continue;
      for (index_t i = 0; i < m; ++i) {
        for (index_t c = 0; c < of.count; ++c) {
          x[i * n_in + of.input + c] =
              static_cast<T>(std::floor(random.uniform() * double(of.size)));
        }
      }
    }
  }

  ArraySource<T> source(bool by_label, bool weighted) const {
    Targets<T> targets{nullptr, {values.data(), m, n_out, n_out}};
    if (by_label) targets = {labels.data(), {}};
    return {{x.data(), m, n_in, n_in}, targets, weighted ? weights.data() : nullptr};
  }

  index_t m, n_in, n_out;
  Buffer<T> x, values;
  Buffer<std::int32_t> labels;
  Buffer<T> weights;
};

// ---- what is done with it
// ------------------------------------------------------------------------

template <class T>
void must_be_equal(const char* what, const std::vector<T>& a, const std::vector<T>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof(T)) == 0 || (std::isnan(a[i]) && std::isnan(b[i])))
      continue;
    std::fprintf(stderr, "%s differ at %zu: %.17g and %.17g\n", what, i, double(a[i]),
                 double(b[i]));
    __builtin_trap();
  }
}

Loss loss(FuzzedDataProvider& bytes, const Activation& output) {
  static const double parameter[] = {0.5};
  Loss made{one_of(bytes, kLosses).kind};
  if (made.kind == LossKind::custom) made.kind = LossKind::mse;
  if (!traits_of(made.kind).parameter.empty()) made.parameters = parameter;
  check_pair(made, output);
  return made;
}

OptimizerRule rule(FuzzedDataProvider& bytes) {
  OptimizerRule made{.kind = static_cast<OptimizerKind>(from(bytes, 0, 9))};
  made.learning_rate = one_of(bytes, {0.01, 0.0, 1e-12, 10.0});
  if (made.kind == OptimizerKind::momentum || bytes.ConsumeBool()) made.momentum = 0.9;
  made.nesterov = made.momentum > 0.0 && bytes.ConsumeBool();
  made.centered = bytes.ConsumeBool();
  made.amsgrad = bytes.ConsumeBool();
  made.weight_decay = one_of(bytes, {0.0, 0.1});
  made.decoupled = bytes.ConsumeBool();
  made.maximize = bytes.ConsumeBool();
  return made;
}

Schedule schedule(FuzzedDataProvider& bytes) {
  Schedule made{.kind = static_cast<ScheduleKind>(from(bytes, 0, 6))};
  made.step_size = from(bytes, 1, 4);
  made.gamma = one_of(bytes, {1.0, 0.5, 1e-300, 1e300});
  made.power = one_of(bytes, {0.0, 0.5, 1.7, 1e300});
  made.period = from(bytes, 0, 5);
  made.minimum = one_of(bytes, {0.0, 1e-6});
  made.restarts = bytes.ConsumeBool();
  made.multiplier = from(bytes, 1, 3);
  made.warm_up = one_of(bytes, {0.3, 0.0, 1.0});
  made.initial_divisor = one_of(bytes, {1.0, 25.0});
  made.final_divisor = one_of(bytes, {1.0, 1e4});
  for (int n = from(bytes, 0, 2); n > 0; --n) {
    made.warm_ups.push_back({from(bytes, 1, 3), one_of(bytes, {0.0, 0.1, 1.0})});
  }
  check_schedule(made);
  return made;
}

// Of numbers that any network has; those of dropout name layers.
std::vector<ScheduledNumber> scheduled(FuzzedDataProvider& bytes) {
  std::vector<ScheduledNumber> made;
  for (int n = from(bytes, 0, 5); n > 3; --n) {
    const auto number = static_cast<Number>(from(bytes, 0, 8));
    const double base = one_of(bytes, {0.01, 0.5, 1e-8});
    made.push_back({number, base, bytes.ConsumeBool() ? Per::step : Per::epoch, schedule(bytes)});
  }
  return made;
}

FitOptions fit_options(FuzzedDataProvider& bytes, index_t rows, std::size_t layers) {
  FitOptions options{.epochs = from(bytes, 1, 3)};
  options.batch_size = std::min<index_t>(rows, from(bytes, 1, 300));
  options.shuffle = bytes.ConsumeBool();
  options.drop_last = bytes.ConsumeBool();
  options.seed = bytes.ConsumeIntegral<std::uint64_t>();
  options.regularization = {.l1 = one_of(bytes, {0.0, 1e-3}),
                            .l2 = one_of(bytes, {0.0, 1e-3}),
                            .clip_norm = one_of(bytes, {0.0, 1e-3}),
                            .clip_value = one_of(bytes, {0.0, 1e-3}),
                            .max_norm = one_of(bytes, {0.0, 0.5})};
  options.average = one_of(bytes, {0.0, 0.0, 0.9});
  options.scheduled = scheduled(bytes);
  if (from(bytes, 0, 3) == 0) {
    for (std::size_t l = 0; l < layers; ++l) options.frozen.push_back(bytes.ConsumeBool());
  }
  return options;
}

template <class T>
std::vector<T> predicted(const Network<T>& network, const Rows<T>& rows, int threads) {
  std::vector<T> y(static_cast<std::size_t>(rows.m * rows.n_out));
  predict(in_place(network), {rows.x.data(), rows.m, rows.n_in, rows.n_in},
          {y.data(), rows.m, rows.n_out, rows.n_out}, threads);
  return y;
}

template <class T>
std::vector<T> gradient(const Network<T>& network, const Loss& loss, const ArraySource<T>& source,
                        int threads) {
  std::vector<T> found = arena_of<T>(network.program());
  const index_t m = source.size();
  Step<T> step(network.program(), loss, Purpose::gradient, m, threads);
  const Batch<T> batch{source, nullptr, {0, m}};
  const BatchLoss sums =
      step.run({.parameters = network.parameters(), .batch = batch, .gradient = found.data()});
  found.push_back(static_cast<T>(sums.mean()));
  return found;
}

template <class T>
void exercise(FuzzedDataProvider& bytes, const Program& program) {
  const Loss by = loss(bytes, program.output());
  check_outputs(by, program.n_outputs());
  const int threads = from(bytes, 2, 5);
  const bool by_label = by.kind == LossKind::cross_entropy && bytes.ConsumeBool();
  const bool weighted = bytes.ConsumeBool();
  const OptimizerRule with = rule(bytes);
  FitOptions options = fit_options(bytes, 400, static_cast<std::size_t>(program.n_layers()));
  const Rows<T> rows(bytes, program, by);
  options.batch_size = std::min(options.batch_size, rows.m);
  const ArraySource<T> source = rows.source(by_label, weighted);
  Network<T> network(program);
  network.initialize({}, options.seed);
  must_be_equal("predictions", predicted(network, rows, 1), predicted(network, rows, threads));
  must_be_equal("gradients", gradient(network, by, source, 1),
                gradient(network, by, source, threads));
  const auto trained = [&](int on) {
    options.threads = on;
    Session<T> session(program, with, by, source, options, source);
    session.run();
    return session.parameters();
  };
  must_be_equal("parameters", trained(1), trained(threads));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider bytes(data, size);
  try {
    const Program program(architecture(bytes));
    if (program.arena_size() > kMostNumbers) return 0;
    bytes.ConsumeBool() ? exercise<float>(bytes, program) : exercise<double>(bytes, program);
  } catch (const std::invalid_argument&) {  // refused
  }
  return 0;
}

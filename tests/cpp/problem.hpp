// A problem that a small network can learn, with everything that training it takes.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "base/random.hpp"
#include "model/trainer.hpp"

namespace pymlp::test {

inline constexpr double kForever = std::numeric_limits<double>::infinity();

inline Activation named(const char* name) { return make_activation(name, {}); }

// Points in a cube, told apart by whether the first two coordinates have one sign: no straight line
// does that. As class labels, and as one-hot rows.
template <class T>
struct Problem {
  Problem(index_t m, index_t n_inputs, index_t n_outputs, std::uint64_t seed)
      : x(m * n_inputs), values(m * n_outputs), labels(m), weights(m), n_inputs(n_inputs) {
    Random random(seed, 0);
    for (T& coordinate : x.span()) coordinate = static_cast<T>(2.0 * random.uniform() - 1.0);
    for (index_t i = 0; i < m; ++i) {
      labels[i] = x[i * n_inputs] * x[i * n_inputs + 1] > T(0) ? 1 : 0;
      values[i * n_outputs + (n_outputs > 1 ? labels[i] : 0)] = static_cast<T>(labels[i]);
      weights[i] = static_cast<T>(0.5 + random.uniform());
    }
  }

  index_t size() const { return labels.size(); }
  index_t n_outputs() const { return values.size() / size(); }
  ConstMatrixView<T> inputs() const { return {x.data(), size(), n_inputs, n_inputs}; }
  Targets<T> outputs() const {
    return {nullptr, {values.data(), size(), n_outputs(), n_outputs()}};
  }
  ArraySource<T> with_labels() const { return {inputs(), {labels.data(), {}}, nullptr}; }
  ArraySource<T> with_values() const { return {inputs(), outputs(), nullptr}; }
  ArraySource<T> weighted() const { return {inputs(), outputs(), weights.data()}; }

  Buffer<T> x;
  Buffer<T> values;
  Buffer<std::int32_t> labels;
  Buffer<T> weights;
  index_t n_inputs;
};

inline constexpr Loss kCrossEntropy{LossKind::cross_entropy};
inline constexpr Loss kBinaryCrossEntropy{LossKind::binary_cross_entropy};
inline constexpr Loss kMse{LossKind::mse};

inline constexpr OptimizerRule kAdam{.kind = OptimizerKind::adam, .learning_rate = 0.01};
inline constexpr OptimizerRule kSgd{.kind = OptimizerKind::sgd, .learning_rate = 0.1};
inline constexpr OptimizerRule kScheduleFree{.kind = OptimizerKind::schedule_free_adamw,
                                             .learning_rate = 0.1};

// Large enough that steps are shared among threads.
inline FitOptions wide_batches(int threads) {
  return {.epochs = 3, .batch_size = 256, .seed = 5, .threads = threads};
}

// Everything at once that a step can be asked for.
inline Regularization all_limits() {
  return {.l1 = 1e-4, .l2 = 1e-3, .clip_norm = 0.05, .clip_value = 0.01, .max_norm = 1.5};
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
std::vector<T> numbers_of(const Buffer<T>& buffer) {
  return {buffer.span().begin(), buffer.span().end()};
}

inline Program program_of(const std::vector<index_t>& widths, const Activation& hidden,
                          const Activation& output, double dropout = 0.0) {
  std::vector<Activation> activations(widths.size() - 1, hidden);
  activations.back() = output;
  return Program({widths, activations, true, std::vector<double>(widths.size() - 2, dropout)});
}

inline Program classifier(const std::vector<index_t>& widths, const char* hidden = "tanh",
                          const char* output = "softmax", double dropout = 0.0) {
  return program_of(widths, named(hidden), named(output), dropout);
}

// Every kind of operation at once.
inline Program of_every_operation(const std::vector<index_t>& widths, Norm norm,
                                  const std::vector<ColumnEmbedding>& embedding = {}) {
  Architecture of{widths, std::vector<Activation>(widths.size() - 1, named("tanh"))};
  of.activations.back() = named("softmax");
  of.dropout.assign(widths.size() - 2, 0.2);
  of.parametric.assign(widths.size() - 1, true);
  of.parametric.back() = false;
  of.residual = of.scale_inputs = true;
  of.input_dropout = 0.1;
  of.norm = norm;
  of.embedding = embedding;
  return Program(of);
}

// Of the first four inputs, waves of two sizes, a category, and ramps.
inline const std::vector<ColumnEmbedding> kEmbedding = {
    {ColumnKind::periodic, 0, 16, 4, {0.5}},
    {ColumnKind::categories, 1, 5, 3},
    {ColumnKind::periodic, 2, 7, 9, {0.1}},
    {ColumnKind::piecewise_linear, 3, 5, 6, {-1.5, -0.5, 0.1, 0.2, 1.0, 3.0}}};

// Of large batches the first network's gradients are summed by block, the second's over segments.
inline const std::vector<index_t> kSmall = {4, 32, 16, 4};
inline const std::vector<index_t> kWide = {260, 130, 3};

template <class T>
std::vector<T> arena_of(const Program& program) {
  return std::vector<T>(static_cast<std::size_t>(program.n_parameters()));
}

template <class T>
std::vector<T> parameters_of(const Network<T>& network) {
  const T* first = network.parameters();
  return {first, first + network.program().n_parameters()};
}

// A network under training: what a trainer refers to, in one place.
template <class T>
class Session {
 public:
  Session(const Program& program, const OptimizerRule& rule, const Loss& loss,
          const ArraySource<T>& data, const FitOptions& options,
          const std::optional<ArraySource<T>>& validation = std::nullopt)
      : network_(program),
        optimizer_(rule, program.n_parameters()),
        data_(data),
        validation_(validation),
        trainer_(prepared(), optimizer_, loss, data_, validation_ ? &*validation_ : nullptr,
                 options) {}

  Status run(index_t epochs = 1'000'000, double seconds = kForever) {
    Interrupt never([] { return false; });
    return trainer_.run(epochs, seconds, never);
  }
  Status step() { return run(1, 0.0); }

  std::vector<T> parameters() const { return parameters_of(network_); }
  Network<T>& network() { return network_; }
  Optimizer<T>& optimizer() { return optimizer_; }
  Trainer<T>& trainer() { return trainer_; }
  const Epochs& history() const { return trainer_.history(); }

 private:
  Network<T>& prepared() {
    network_.initialize({}, 1);
    return network_;
  }

  Network<T> network_;
  Optimizer<T> optimizer_;
  ArraySource<T> data_;
  std::optional<ArraySource<T>> validation_;
  Trainer<T> trainer_;
};

}  // namespace pymlp::test

// One arithmetic: every kernel gives the same bits on every instruction set, for ordinary numbers
// and for those at the edges. Of a NaN, only that it is one.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "base/random.hpp"
#include "kernels/table.hpp"

using namespace pymlp;

namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

struct Shape {
  index_t rows, cols, stride;
};

// One column, one lane, whole vectors, one more and one less; rows that do and do not follow each
// other.
constexpr Shape kShapes[] = {{1, 1, 1},   {3, 10, 10}, {7, 16, 16}, {5, 17, 17},
                             {9, 31, 40}, {4, 64, 64}, {33, 3, 3},  {6, 100, 128}};

std::vector<Isa> wider_isas() {
  std::vector<Isa> result;
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (cpu_supports(isa)) result.push_back(isa);
  }
  return result;
}

template <class T>
std::vector<T> special_numbers() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> numbers = {T(0),
                            T(1),
                            T(0.5),
                            Limits::min(),
                            Limits::denorm_min(),
                            Limits::max(),
                            Limits::epsilon(),
                            Limits::infinity(),
                            T(88.7),
                            T(709.8),
                            T(104),
                            T(745.2)};
  for (std::size_t i = numbers.size(); i-- > 0;) numbers.push_back(-numbers[i]);
  numbers.push_back(Limits::quiet_NaN());
  return numbers;
}

enum class Kind { ordinary, any_bits, with_specials };

// Ordinary numbers, any bit pattern, or ordinary ones with one in four from the edges.
template <class T>
std::vector<T> draw(index_t n, Kind kind, Random& random) {
  const std::vector<T> specials = special_numbers<T>();
  std::vector<T> result(static_cast<std::size_t>(n));
  for (T& x : result) {
    if (kind == Kind::any_bits) {
      x = std::bit_cast<T>(static_cast<Bits<T>>(random.bits()));
    } else if (kind == Kind::with_specials && random.below(4) == 0) {
      x = specials[static_cast<std::size_t>(random.below(std::ssize(specials)))];
    } else {
      x = static_cast<T>(8.0 * random.uniform() - 4.0);
    }
  }
  return result;
}

template <class T>
index_t first_difference(const std::vector<T>& a, const std::vector<T>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = std::isnan(a[i]) && std::isnan(b[i]);
    if (!both_nan && std::bit_cast<Bits<T>>(a[i]) != std::bit_cast<Bits<T>>(b[i])) {
      return static_cast<index_t>(i);
    }
  }
  return -1;
}

// Runs `compute(table)`, which returns numbers, on every instruction set and compares.
template <class T, class Compute>
void check_all(const std::string& what, Compute compute) {
  INFO(what);
  const std::vector<T> expected = compute(kernels_of<T>(Isa::generic));
  for (const Isa isa : wider_isas()) {
    INFO(name_of(isa));
    CHECK(first_difference(expected, compute(kernels_of<T>(isa))) == -1);
  }
}

template <class T>
class Matrix {
 public:
  Matrix(const Shape& shape, std::vector<T> numbers)
      : shape_(shape), numbers_(std::move(numbers)) {}
  Matrix(const Shape& shape, Kind kind, Random& random)
      : Matrix(shape, draw<T>(shape.rows * shape.stride, kind, random)) {}

  MatrixView<T> view() { return {numbers_.data(), shape_.rows, shape_.cols, shape_.stride}; }
  ConstMatrixView<T> view() const {
    return {numbers_.data(), shape_.rows, shape_.cols, shape_.stride};
  }
  const std::vector<T>& numbers() const { return numbers_; }

 private:
  Shape shape_;
  std::vector<T> numbers_;
};

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

template <class T>
using LossKernel = void (*Kernels<T>::*)(T*, MatrixView<T>, ConstMatrixView<T>, const Targets<T>&,
                                         const T*);

// Losses and gradients of one loss kernel.
template <class T>
std::vector<T> run_loss(const Kernels<T>& table, LossKernel<T> kernel, const Matrix<T>& outputs,
                        const Targets<T>& targets, const std::vector<T>& scale) {
  std::vector<T> losses(scale.size());
  Matrix<T> gradient = outputs;
  (table.*kernel)(losses.data(), gradient.view(), outputs.view(), targets, scale.data());
  append(losses, gradient.numbers());
  return losses;
}

template <class T>
void check_losses(const Shape& shape, Kind kind, Random& random) {
  const Matrix<T> outputs(shape, kind, random);
  const Matrix<T> values(shape, kind, random);
  const std::vector<T> scale = draw<T>(shape.rows, Kind::ordinary, random);
  std::vector<std::int32_t> labels;
  for (index_t i = 0; i < shape.rows; ++i) {
    labels.push_back(static_cast<std::int32_t>(random.below(shape.cols)));
  }
  const std::pair<const char*, LossKernel<T>> losses[] = {
      {"softmax_cross_entropy", &Kernels<T>::softmax_cross_entropy},
      {"sigmoid_binary_cross_entropy", &Kernels<T>::sigmoid_binary_cross_entropy},
      {"cross_entropy", &Kernels<T>::cross_entropy},
      {"binary_cross_entropy", &Kernels<T>::binary_cross_entropy},
      {"mse", &Kernels<T>::mse}};
  for (const auto& [name, kernel] : losses) {
    for (const Targets<T>& targets : {Targets<T>{labels.data(), {}}, {nullptr, values.view()}}) {
      check_all<T>(name, [&, kernel = kernel](const Kernels<T>& table) {
        return run_loss<T>(table, kernel, outputs, targets, scale);
      });
    }
  }
}

const OptimizerRule kRules[] = {
    {.kind = OptimizerKind::sgd},
    {.kind = OptimizerKind::sgd, .momentum = 0.9},
    {.kind = OptimizerKind::sgd, .momentum = 0.9, .nesterov = true},
    {.kind = OptimizerKind::rmsprop},
    {.kind = OptimizerKind::rmsprop, .momentum = 0.9},
    {.kind = OptimizerKind::rmsprop, .centered = true},
    {.kind = OptimizerKind::rmsprop, .momentum = 0.9, .centered = true},
    {.kind = OptimizerKind::adam},
};

// Parameters and state after three steps.
template <class T>
std::vector<T> run_optimizer(const Kernels<T>& table, const OptimizerRule& rule,
                             std::vector<T> parameters, const std::vector<T>& gradient) {
  const std::size_t n = parameters.size();
  std::array<std::vector<T>, 3> memory{std::vector<T>(n), std::vector<T>(n), std::vector<T>(n)};
  const std::array<T*, 3> state{memory[0].data(), memory[1].data(), memory[2].data()};
  for (std::int64_t step = 1; step <= 3; ++step) {
    table.optimizer_update(make_step<T>(rule, step), parameters.data(), gradient.data(),
                           state.data(), static_cast<index_t>(n));
  }
  for (const auto& arena : memory) append(parameters, arena);
  return parameters;
}

template <class Check>
void for_inputs(Check check) {
  Random random(7, 0);
  for (const Kind kind : {Kind::ordinary, Kind::any_bits, Kind::with_specials}) {
    for (const Shape& shape : kShapes) check(shape, kind, random);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("elementary functions", T, float, double) {
  Random random(1, 0);
  for (const Kind kind : {Kind::ordinary, Kind::any_bits, Kind::with_specials}) {
    const std::vector<T> x = draw<T>(20011, kind, random);
    for (std::size_t f = 0; f < std::size(kElementaryNames); ++f) {
      check_all<T>(std::string(kElementaryNames[f]), [&](const Kernels<T>& table) {
        std::vector<T> y(x.size());
        table.elementary(static_cast<Elementary>(f), y.data(), x.data(), std::ssize(x));
        return y;
      });
    }
  }
}

TEST_CASE_TEMPLATE("activations, forward and backward, elsewhere and in place", T, float, double) {
  for_inputs([](const Shape& shape, Kind kind, Random& random) {
    const Matrix<T> z(shape, kind, random);
    const Matrix<T> da(shape, kind, random);
    for (const ActivationTraits& traits : all_activations()) {
      const Activation g{traits.kind, {0.25, 0.125}};
      check_all<T>(std::string(traits.name), [&](const Kernels<T>& table) {
        Matrix<T> a = da;
        table.activation_forward(a.view(), z.view(), g);
        Matrix<T> dz = z;
        table.activation_backward(dz.view(), da.view(), z.view(), a.view(), g);
        Matrix<T> z_then_a = z;
        table.activation_forward(z_then_a.view(), z_then_a.view(), g);
        Matrix<T> da_then_dz = da;
        table.activation_backward(da_then_dz.view(), da_then_dz.view(), z.view(), a.view(), g);
        std::vector<T> all = a.numbers();
        for (const Matrix<T>* more : {&dz, &z_then_a, &da_then_dz}) append(all, more->numbers());
        return all;
      });
    }
  });
}

TEST_CASE_TEMPLATE("losses and their gradients", T, float, double) { for_inputs(check_losses<T>); }

TEST_CASE_TEMPLATE("what a dense layer does beside its products", T, float, double) {
  for_inputs([](const Shape& shape, Kind kind, Random& random) {
    const Matrix<T> d(shape, kind, random);
    const std::vector<T> biases = draw<T>(shape.cols, kind, random);
    check_all<T>("fill_rows", [&](const Kernels<T>& table) {
      Matrix<T> z = d;
      table.fill_rows(z.view(), biases.data());
      return z.numbers();
    });
    check_all<T>("column_sums", [&](const Kernels<T>& table) {
      std::vector<T> sums(static_cast<std::size_t>(shape.cols));
      table.column_sums(sums.data(), d.view());
      return sums;
    });
    check_all<T>("all_finite", [&](const Kernels<T>& table) {
      return std::vector<T>{table.all_finite(d.numbers().data(), std::ssize(d.numbers())) ? T(1)
                                                                                          : T(0)};
    });
  });
}

TEST_CASE_TEMPLATE("all_finite finds one bad number anywhere", T, float, double) {
  for (const Isa isa : {Isa::generic, Isa::avx2, Isa::avx512}) {
    if (!cpu_supports(isa)) continue;
    const Kernels<T> table = kernels_of<T>(isa);
    for (index_t n : {1, 15, 16, 17, 100}) {
      std::vector<T> numbers(static_cast<std::size_t>(n), std::numeric_limits<T>::max());
      CHECK(table.all_finite(numbers.data(), n));
      for (T& number : numbers) {
        number = std::numeric_limits<T>::infinity();
        CHECK_FALSE(table.all_finite(numbers.data(), n));
        number = std::numeric_limits<T>::quiet_NaN();
        CHECK_FALSE(table.all_finite(numbers.data(), n));
        number = T(0);
      }
    }
  }
}

TEST_CASE_TEMPLATE("optimisers", T, float, double) {
  Random random(5, 0);
  for (const Kind kind : {Kind::ordinary, Kind::any_bits, Kind::with_specials}) {
    for (const index_t n : {1, 15, 16, 17, 1000}) {
      const std::vector<T> parameters = draw<T>(n, kind, random);
      const std::vector<T> gradient = draw<T>(n, kind, random);
      for (const OptimizerRule& rule : kRules) {
        check_all<T>("optimizer", [&](const Kernels<T>& table) {
          return run_optimizer<T>(table, rule, parameters, gradient);
        });
      }
    }
  }
}

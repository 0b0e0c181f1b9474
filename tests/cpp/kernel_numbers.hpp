// What kernels are given and what they gave: numbers that depend on this file alone, ordinary ones
// and those at the edges, and the bits of results.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/random.hpp"
#include "base/view.hpp"

namespace pymlp::test {

// The bits of what kernels wrote. Of a NaN, only that it is one.
class Outcome {
 public:
  template <class T>
  void add(T x) {
    using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    words_.push_back(std::isnan(x) ? kNan : std::bit_cast<Word>(x));
  }
  template <class T>
  void add(const std::vector<T>& numbers) {
    for (const T x : numbers) add(x);
  }

  bool operator==(const Outcome&) const = default;
  const std::vector<std::uint64_t>& words() const { return words_; }

 private:
  static constexpr std::uint64_t kNan = 0x7fffffffffffffff;
  std::vector<std::uint64_t> words_;
};

struct Shape {
  index_t rows, cols, stride;

  index_t size() const { return rows * stride; }
};

// One column, one lane, whole vectors, one more and one less; rows that do and do not follow each
// other.
inline constexpr Shape kShapes[] = {{1, 1, 1},   {3, 10, 10}, {7, 16, 16}, {5, 17, 17},
                                    {9, 31, 40}, {4, 64, 64}, {33, 3, 3},  {6, 100, 128}};

// Ordinary numbers, any bit pattern, or ordinary ones with one in four from the edges.
enum class Kind { ordinary, any_bits, with_specials };
inline constexpr Kind kKinds[] = {Kind::ordinary, Kind::any_bits, Kind::with_specials};

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

template <class T>
std::vector<T> draw(index_t n, Kind kind, Random& random) {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const std::vector<T> specials = special_numbers<T>();
  std::vector<T> result(static_cast<std::size_t>(n));
  for (T& x : result) {
    if (kind == Kind::any_bits) {
      x = std::bit_cast<T>(static_cast<Word>(random.bits()));
    } else if (kind == Kind::with_specials && random.below(4) == 0) {
      x = specials[static_cast<std::size_t>(random.below(std::ssize(specials)))];
    } else {
      x = static_cast<T>(8.0 * random.uniform() - 4.0);
    }
  }
  return result;
}

template <class T>
class Matrix {
 public:
  Matrix(const Shape& shape, Kind kind, Random& random)
      : shape_(shape), numbers_(draw<T>(shape.size(), kind, random)) {}

  MatrixView<T> view() { return {numbers_.data(), shape_.rows, shape_.cols, shape_.stride}; }
  ConstMatrixView<T> view() const {
    return {numbers_.data(), shape_.rows, shape_.cols, shape_.stride};
  }
  const std::vector<T>& numbers() const { return numbers_; }

 private:
  Shape shape_;
  std::vector<T> numbers_;
};

// check(shape, kind, random) for every shape of every kind.
template <class Check>
void for_inputs(std::uint64_t seed, Check check) {
  Random random(seed, 0);
  for (const Kind kind : kKinds) {
    for (const Shape& shape : kShapes) check(shape, kind, random);
  }
}

// Of every loss, whether it has one or not.
inline constexpr double kLossParameters[] = {0.7};

}  // namespace pymlp::test

// One arithmetic: every kernel gives the same bits on every instruction set.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <span>
#include <sstream>

#include "base/cpu.hpp"
#include "kernel_cases.hpp"

using namespace pymlp;
using namespace pymlp::test;

namespace {

// Where the first of them differs, -1 where none does.
index_t first_difference(const Outcome& a, const Outcome& b) {
  if (a == b) return -1;
  const auto [in_a, in_b] = std::ranges::mismatch(a.words(), b.words());
  return in_a - a.words().begin();
}

template <class T>
void check_family(const Family<T>& family) {
  int cases = 0;
  family.visit_cases([&](const std::string& what, const Compute<T>& compute) {
    INFO(family.name, ": ", what);
    ++cases;
    const Outcome expected = compute(kernels_of<T>(Isa::generic));
    for (const Isa isa : supported_isas()) {
      INFO(name_of(isa));
      CHECK(first_difference(expected, compute(kernels_of<T>(isa))) == -1);
    }
  });
  CHECK(cases > 0);
}

}  // namespace

TEST_CASE_TEMPLATE("kernels give the same bits on every instruction set", T, float, double) {
  for (const Family<T>& family : kFamilies<T>) check_family(family);
}

TEST_CASE_TEMPLATE("all_finite finds one bad number anywhere", T, float, double) {
  for (const Isa isa : supported_isas()) {
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

TEST_CASE_TEMPLATE("dropout keeps the share it should, and what a batch's row alone decides", T,
                   float, double) {
  constexpr index_t rows = 200;
  constexpr index_t cols = 101;
  const std::vector<T> ones(rows * cols, T(1));
  const auto dropped = [&](index_t first, index_t count) {
    std::vector<T> y(static_cast<std::size_t>(count * cols));
    kernels<T>().dropout({y.data(), count, cols, cols}, {ones.data(), count, cols, cols}, 0.25, 1,
                         2, 0, first);
    return y;
  };
  const std::vector<T> whole = dropped(0, rows);
  const auto zeros = static_cast<double>(std::ranges::count(whole, T(0)));
  CHECK(zeros / (rows * cols) == doctest::Approx(0.25).epsilon(0.05));
  CHECK(std::ranges::all_of(whole, [](T y) { return y == T(0) || y == T(1.0 / 0.75); }));
  const std::vector<T> part = dropped(57, 40);
  CHECK(std::ranges::equal(part, std::span(whole).subspan(57 * cols, 40 * cols)));
}

TEST_CASE("a cgroup's quota and OMP_NUM_THREADS leave fewer processors, but one at least") {
  const auto within = [](const char* cpu_max, const char* threads) {
    std::istringstream quota(cpu_max);
    return cpus_within(8, quota, threads);
  };
  CHECK(within("max 100000", nullptr) == 8);
  CHECK(within("150000 100000", nullptr) == 2);
  CHECK(within("1 100000", nullptr) == 1);
  CHECK(within("900000 100000", "4,2") == 4);
  // Beyond the largest integer.
  CHECK(within("1e300 1e-9", nullptr) == 8);
  CHECK(within("99999999999999999999 1", "99999999999999999999") == 8);
  for (const char* none : {"", "-1 1", "1 0", "1 -1", "nan 1", "inf 1", "1e999 1", "x"}) {
    CHECK(within(none, none) == 8);
  }
}

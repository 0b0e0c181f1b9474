// Views and buffers: where things lie, and who owns them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "base/buffer.hpp"
#include "base/check.hpp"
#include "base/view.hpp"

using namespace pymlp;

TEST_CASE("a slice begins at its first row and keeps the stride") {
  std::vector<int> memory(5 * 4);
  const MatrixView<int> matrix{memory.data(), 5, 3, 4};
  const MatrixView<int> slice = matrix.slice(2, 2);
  CHECK(slice.row(0) == memory.data() + 8);
  CHECK(slice.row(1) == memory.data() + 12);
  CHECK(slice.rows == 2);
  CHECK(slice.cols == 3);
  CHECK(slice.stride == 4);
}

TEST_CASE("a matrix that may be written may be read") {
  std::vector<int> memory{1, 2, 3, 4};
  const MatrixView<int> matrix{memory.data(), 2, 2, 2};
  const ConstMatrixView<int> read = matrix;
  CHECK(read.row(1)[0] == 3);
  CHECK(read.slice(1, 1).data == matrix.slice(1, 1).data);
}

TEST_CASE("buffers are aligned and zeroed") {
  for (const index_t size : {1, 15, 16, 17, 1000, 1 << 20}) {
    const Buffer<double> buffer(size);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % kAlignment == 0);
    CHECK(std::ranges::all_of(buffer.span(), [](double x) { return x == 0.0; }));
  }
}

TEST_CASE("an empty buffer owns nothing") {
  CHECK(Buffer<float>().data() == nullptr);
  CHECK(Buffer<float>(0).data() == nullptr);
  CHECK(Buffer<float>(0).span().empty());
}

TEST_CASE("a moved buffer hands its memory over") {
  Buffer<int> first(3);
  first[1] = 7;
  const int* memory = first.data();
  Buffer<int> second(std::move(first));
  CHECK(second.data() == memory);
  Buffer<int> third(5);
  third = std::move(second);
  CHECK(third.size() == 3);
  CHECK(third[1] == 7);
}

TEST_CASE("more memory than there is throws bad_alloc") {
  CHECK_THROWS_AS(allocate_zeroed(SIZE_MAX), std::bad_alloc);
  CHECK_THROWS_AS(allocate_zeroed(SIZE_MAX / 2), std::bad_alloc);
}

TEST_CASE("check puts its message together") {
  CHECK_NOTHROW(check(true, "never said"));
  CHECK_THROWS_WITH_AS(check(false, "X must have ", 4, " columns, not ", 3),
                       "X must have 4 columns, not 3", std::invalid_argument);
}

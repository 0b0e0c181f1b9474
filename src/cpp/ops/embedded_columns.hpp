// Embedded columns: what becomes of each of the network's inputs before the first product. Of some
// inputs one number becomes several; the others pass as they are. Inputs keep their order.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/range.hpp"
#include "base/view.hpp"
#include "ops/tensor.hpp"

namespace pymlp {

enum class ColumnKind : std::uint8_t { plain, periodic, categories, piecewise_linear };
inline constexpr std::string_view kColumnKinds[] = {"plain", "periodic", "categories",
                                                    "piecewise_linear"};

// What an architecture says of one column that is embedded.
struct ColumnEmbedding {
  ColumnKind kind;
  index_t column;  // of the inputs
  index_t size;    // frequencies, categories or ramps
  index_t width;   // the numbers that it becomes
  // The deviation of frequencies at the start, or size + 1 boundaries of ramps.
  std::vector<double> constants{};
};

// Inputs that lie side by side and are embedded alike. Their parameters are rows in the arena, one
// behind the other: one for each column of numbers, one for each category. A row of a column of
// numbers holds weights (size, width - 1) and biases (width - 1,); before these, of a periodic one,
// frequencies and phases (size,) each.
struct EmbeddedColumns {
  // What a column's numbers become in chunks of rows stays in the nearest cache, on the stack.
  static constexpr index_t most_features = 128;  // waves or ramps
  static constexpr index_t most_width = 128;
  static constexpr index_t most_categories = index_t{1} << 24;  // float has each as a code

  ColumnKind kind;
  index_t input;   // the first column of the inputs
  index_t output;  // and of what it becomes
  index_t count;   // of inputs
  index_t size;
  index_t width;
  std::vector<double> constants;
  index_t first_row = 0;  // of the operation's parameters
  index_t rows = 0;
  index_t first_number = 0;
  index_t numbers_of_a_row = 0;

  bool is_of_numbers() const {
    return kind == ColumnKind::periodic || kind == ColumnKind::piecewise_linear;
  }
  // Of a row's numbers, those before the weights.
  index_t waves() const { return kind == ColumnKind::periodic ? 2 * size : 0; }
  index_t first_number_of(index_t row) const {
    return first_number + (row - first_row) * numbers_of_a_row;
  }
};

class EmbeddedInputs {
 public:
  // `columns` in ascending order of columns, which are below n_in; they are checked.
  EmbeddedInputs(index_t n_in, const std::vector<ColumnEmbedding>& columns);

  const std::vector<EmbeddedColumns>& columns() const { return columns_; }
  index_t n_out() const { return n_out_; }
  index_t parameter_rows() const { return rows_; }
  double multiply_adds() const;
  double operations() const;  // the cost of a row, as cuts count it
  Tensors parameters() const;
  // Row and column of the first category that is no whole number below the number of them.
  template <class T>
  std::optional<std::pair<index_t, index_t>> wrong_code(ConstMatrixView<T> x) const;
  // The numbers of these rows of parameters.
  Range numbers(Range rows) const;

 private:
  void append(EmbeddedColumns columns);
  index_t first_number_of(index_t row) const;

  std::vector<EmbeddedColumns> columns_;
  index_t n_out_ = 0;
  index_t rows_ = 0;
  index_t n_parameters_ = 0;
};

}  // namespace pymlp

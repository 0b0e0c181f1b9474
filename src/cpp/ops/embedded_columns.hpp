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

enum class ColumnKind : std::uint8_t { plain, periodic, categories };
inline constexpr std::string_view kColumnKinds[] = {"plain", "periodic", "categories"};

// What an architecture says of one column that is embedded.
struct ColumnEmbedding {
  ColumnKind kind;
  index_t column;    // of the inputs
  index_t size;      // frequencies, or categories
  index_t width;     // the numbers that it becomes
  double deviation;  // of the frequencies at the start
};

// Inputs that lie side by side and are embedded alike. Their parameters are rows in the arena, one
// behind the other: one for each periodic column, one for each category. A row of a periodic column
// holds frequencies and phases (size,) each, weights (size, width - 1) and biases (width - 1,).
struct EmbeddedColumns {
  // A periodic column's numbers in chunks of rows stay in the nearest cache, on the stack.
  static constexpr index_t most_frequencies = 128;
  static constexpr index_t most_width = 128;
  static constexpr index_t most_categories = index_t{1} << 24;  // float has each as a code

  ColumnKind kind;
  index_t input;   // the first column of the inputs
  index_t output;  // and of what it becomes
  index_t count;   // of inputs
  index_t size;
  index_t width;
  double deviation;
  index_t first_row = 0;  // of the operation's parameters
  index_t rows = 0;
  index_t first_number = 0;
  index_t numbers_of_a_row = 0;

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

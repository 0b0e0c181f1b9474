#include "ops/embedded_columns.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.hpp"

namespace pymlp {

namespace {

// Python says which of these is not so.
bool is_right(const ColumnEmbedding& of, index_t first, index_t n_in) {
  if (of.column < first || of.column >= n_in || of.size < 1) return false;
  if (of.kind == ColumnKind::categories) {
    return of.size <= EmbeddedColumns::most_categories && of.width >= 1 && of.width <= 1 << 16;
  }
  const index_t constants = of.kind == ColumnKind::periodic ? 1 : of.size + 1;
  return of.kind != ColumnKind::plain && of.size <= EmbeddedColumns::most_features &&
         of.width >= 2 && of.width <= EmbeddedColumns::most_width &&
         std::ssize(of.constants) == constants;
}

EmbeddedColumns plain(index_t first, index_t count) {
  return {ColumnKind::plain, first, 0, count, 0, 1, {}};
}

EmbeddedColumns embedded(const ColumnEmbedding& of) {
  EmbeddedColumns columns{of.kind, of.column, 0, 1, of.size, of.width, of.constants};
  const bool numbers = columns.is_of_numbers();
  columns.rows = numbers ? 1 : of.size;
  columns.numbers_of_a_row = numbers ? columns.waves() + (of.size + 1) * (of.width - 1) : of.width;
  return columns;
}

bool are_alike(const EmbeddedColumns& a, const EmbeddedColumns& b) {
  return a.is_of_numbers() && b.kind == a.kind && a.input + a.count == b.input &&
         a.size == b.size && a.width == b.width && a.constants == b.constants;
}

}  // namespace

EmbeddedInputs::EmbeddedInputs(index_t n_in, const std::vector<ColumnEmbedding>& columns) {
  index_t done = 0;
  for (const ColumnEmbedding& of : columns) {
    check(is_right(of, done, n_in), "embedding must have columns in ascending order");
    if (of.column > done) append(plain(done, of.column - done));
    append(embedded(of));
    done = of.column + 1;
  }
  if (done < n_in) append(plain(done, n_in - done));
}

void EmbeddedInputs::append(EmbeddedColumns columns) {
  columns.output = n_out_;
  columns.first_row = rows_;
  columns.first_number = n_parameters_;
  n_out_ += columns.count * columns.width;
  rows_ += columns.rows;
  n_parameters_ += columns.rows * columns.numbers_of_a_row;
  if (!columns_.empty() && are_alike(columns_.back(), columns)) {
    ++columns_.back().count;
    ++columns_.back().rows;
  } else {
    columns_.push_back(columns);
  }
}

double EmbeddedInputs::multiply_adds() const {
  double sum = 0.0;
  for (const EmbeddedColumns& of : columns_) {
    if (of.is_of_numbers()) sum += static_cast<double>(of.count * of.size * of.width);
  }
  return sum;
}

// A cosine costs about as much as 15 multiply-adds, and a ramp is not far below.
double EmbeddedInputs::operations() const {
  double sum = 2.0 * static_cast<double>(n_out_) + 2.0 * multiply_adds();
  for (const EmbeddedColumns& of : columns_) {
    if (of.is_of_numbers()) sum += 30.0 * static_cast<double>(of.count * of.size);
  }
  return sum;
}

Tensors EmbeddedInputs::parameters() const {
  Tensors tensors;
  const auto add = [&](std::string_view name, index_t rows, index_t cols, Draw draw, double scale,
                       index_t column) {
    Tensor tensor{name, TensorKind::embedding, rows, cols, scale};
    tensor.draw = draw;
    tensor.column = column;
    tensors.push_back(tensor);
  };
  for (const EmbeddedColumns& of : columns_) {
    if (of.kind == ColumnKind::categories) {
      add("table", of.size, of.width, Draw::normal, 1.0, of.input);
    }
    if (!of.is_of_numbers()) continue;
    const double bound = 1.0 / std::sqrt(static_cast<double>(of.size));
    for (index_t column = of.input; column < of.input + of.count; ++column) {
      if (of.waves() > 0) {
        add("frequencies", 0, of.size, Draw::normal, of.constants.front(), column);
        add("phases", 0, of.size, Draw::uniform, std::numbers::pi, column);
      }
      add("weights", of.size, of.width - 1, Draw::uniform, bound, column);
      add("biases", 0, of.width - 1, Draw::uniform, bound, column);
    }
  }
  return tensors;
}

template <class T>
std::optional<std::pair<index_t, index_t>> EmbeddedInputs::wrong_code(ConstMatrixView<T> x) const {
  for (const EmbeddedColumns& of : columns_) {
    if (of.kind != ColumnKind::categories) continue;
    const T end = static_cast<T>(of.size);
    for (index_t i = 0; i < x.rows; ++i) {
      const T code = x.row(i)[of.input];
      if (!(code >= T(0) && code < end && code == std::floor(code))) return std::pair(i, of.input);
    }
  }
  return std::nullopt;
}

template std::optional<std::pair<index_t, index_t>> EmbeddedInputs::wrong_code(
    ConstMatrixView<float>) const;
template std::optional<std::pair<index_t, index_t>> EmbeddedInputs::wrong_code(
    ConstMatrixView<double>) const;

index_t EmbeddedInputs::first_number_of(index_t row) const {
  if (row == rows_) return n_parameters_;
  const auto behind = std::ranges::upper_bound(columns_, row, {}, &EmbeddedColumns::first_row);
  return (behind - 1)->first_number_of(row);
}

Range EmbeddedInputs::numbers(Range rows) const {
  const index_t first = first_number_of(rows.first);
  return {first, first_number_of(rows.end()) - first};
}

}  // namespace pymlp

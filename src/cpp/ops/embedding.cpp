#include "ops/embedding.hpp"

#include <algorithm>

#include "base/copy_rows.hpp"
#include "ops/number_embedding.hpp"

namespace pymlp {

namespace {

// The row of the table that a code names; whatever it is, there is one.
template <class T>
index_t category_of(T code, index_t categories) {
  const T last = static_cast<T>(categories - 1);
  return code > T(0) ? static_cast<index_t>(code < last ? code : last) : 0;
}

template <class View>
View inputs(const EmbeddedColumns& of, View x) {
  return x.columns(of.input, of.count);
}
template <class View>
View outputs(const EmbeddedColumns& of, View y) {
  return y.columns(of.output, of.count * of.width);
}

template <class T>
void look_up(const EmbeddedColumns& of, MatrixView<T> y, ConstMatrixView<T> x,
             const T* parameters) {
  const T* const table = parameters + of.first_number;
  for (index_t i = 0; i < y.rows; ++i) {
    std::copy_n(table + category_of(x.row(i)[0], of.size) * of.width, of.width, y.row(i));
  }
}

template <class T>
void add_to_table(const EmbeddedColumns& of, Range some, T* gradient, ConstMatrixView<T> dy,
                  ConstMatrixView<T> x, bool accumulate) {
  if (!accumulate) std::fill_n(gradient, some.count * of.width, T(0));
  for (index_t i = 0; i < dy.rows; ++i) {
    const index_t row = category_of(x.row(i)[0], of.size) - some.first;
    if (row < 0 || row >= some.count) continue;
    T* const to = gradient + row * of.width;
    const T* const from = dy.row(i);
    for (index_t j = 0; j < of.width; ++j) to[j] += from[j];
  }
}

}  // namespace

template <class T>
void Embedding::forward(const Operation& op, const Block<T>& block) {
  const ConstMatrixView<T> x = block.input(op);
  const T* parameters = block.parameters + op.first_parameter;
  for (const EmbeddedColumns& of : op.embedded->columns()) {
    const MatrixView<T> y = outputs(of, block.output(op));
    if (of.kind == ColumnKind::plain) {
      copy_rows(y, inputs(of, x));
    } else if (of.kind == ColumnKind::categories) {
      look_up(of, y, inputs(of, x), parameters);
    } else {
      NumberEmbedding<T> numbers(of, parameters);
      for (index_t c = 0; c < of.count; ++c) {
        numbers.forward(c, y.columns(c * of.width, of.width), inputs(of, x).columns(c, 1));
      }
    }
  }
}

template <class T>
void Embedding::backward(const Operation& op, const Block<T>& block) {
  if (block.input_gradient(op).data == nullptr) return;
  const ConstMatrixView<T> x = block.input(op);
  for (const EmbeddedColumns& of : op.embedded->columns()) {
    const MatrixView<T> dx = block.input_gradient(op).columns(of.input, of.count);
    const ConstMatrixView<T> dy = outputs(of, block.output_gradient(op));
    if (of.kind == ColumnKind::plain) {
      copy_rows(dx, dy);
    } else if (of.kind == ColumnKind::categories) {
      for (index_t i = 0; i < dx.rows; ++i) dx.row(i)[0] = T(0);
    } else {
      NumberEmbedding<T> numbers(of, block.parameters + op.first_parameter);
      for (index_t c = 0; c < of.count; ++c) {
        numbers.backward(c, dx.columns(c, 1), dy.columns(c * of.width, of.width),
                         inputs(of, x).columns(c, 1));
      }
    }
  }
}

template <class T>
void Embedding::gradient(const Operation& op, const Block<T>& block, Range rows, T* arena,
                         bool accumulate) {
  for (const EmbeddedColumns& of : op.embedded->columns()) {
    const index_t first = std::max(rows.first, of.first_row);
    const index_t count = std::min(rows.end(), of.first_row + of.rows) - first;
    if (count <= 0) continue;
    const ConstMatrixView<T> x = inputs(of, block.input(op));
    const ConstMatrixView<T> dy = outputs(of, block.output_gradient(op));
    T* const gradient = arena + op.first_parameter + of.first_number_of(first);
    const Range some{first - of.first_row, count};
    if (of.kind == ColumnKind::categories) {
      add_to_table(of, some, gradient, dy, x, accumulate);
    } else {
      NumberEmbedding<T> numbers(of, block.parameters + op.first_parameter);
      for (index_t c = some.first; c < some.end(); ++c) {
        numbers.gradient(c, gradient + (c - some.first) * of.numbers_of_a_row,
                         dy.columns(c * of.width, of.width), x.columns(c, 1), accumulate);
      }
    }
  }
}

template void Embedding::forward(const Operation&, const Block<float>&);
template void Embedding::backward(const Operation&, const Block<float>&);
template void Embedding::gradient(const Operation&, const Block<float>&, Range, float*, bool);

template void Embedding::forward(const Operation&, const Block<double>&);
template void Embedding::backward(const Operation&, const Block<double>&);
template void Embedding::gradient(const Operation&, const Block<double>&, Range, double*, bool);

}  // namespace pymlp

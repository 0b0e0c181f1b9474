// What a step computes, without a plan: all rows in one block, every sum in one product.
#pragma once

#include <vector>

#include "kernels/table.hpp"
#include "model/source.hpp"
#include "model/workspace.hpp"
#include "ops/table.hpp"

namespace pymlp::test {

// Rows of a batch, and what goes backward from their outputs: a loss, or a gradient that is given.
template <class T>
struct Question {
  const Program& program;
  const T* parameters;
  pymlp::Samples<T> rows;
  index_t first_of_batch = 0;
  Loss loss{};
  std::vector<T> scales{};  // what each row counts in the mean
  ConstMatrixView<T> dy{};
  const DropoutDraws* draws = nullptr;
};

template <class T>
class Direct {
 public:
  explicit Direct(const Question<T>& question)
      : program_(question.program),
        packed_(program_.operations(), 0, Arithmetic::exact),
        places_(place<T>(program_, question.draws ? Keep::for_training : Keep::for_backward)),
        dx_(question.rows.x.rows * program_.n_inputs()),
        losses_(question.rows.x.rows) {
    const ConstMatrixView<T> x = question.rows.x;
    workspace_.reserve(places_, x.rows);
    for (index_t i = 0; i < program_.n_operations(); ++i) {
      packed_.refresh(question.parameters, {i, {0, program_.operation(i).n_in}});
    }
    block_ = {&places_,
              workspace_.memory(),
              workspace_.rows(),
              0,
              question.first_of_batch,
              x,
              question.parameters,
              &packed_,
              question.draws};
    block_.dx = dx_.matrix(x.rows, program_.n_inputs());
    for (const Operation& op : program_.operations()) functions_of<T>(op).forward(op, block_);
    backward(question);
  }
  Direct(const Direct&) = delete;
  Direct& operator=(const Direct&) = delete;

  std::vector<T> losses() const { return {losses_.data(), losses_.data() + losses_.size()}; }
  std::vector<T> dx() const { return {dx_.data(), dx_.data() + dx_.size()}; }
  std::vector<T> dz(index_t layer) const {
    const MatrixView<T> matrix = block_.output_gradient(program_.dense(layer));
    std::vector<T> numbers;
    for (index_t i = 0; i < matrix.rows; ++i) {
      numbers.insert(numbers.end(), matrix.row(i), matrix.row(i) + matrix.cols);
    }
    return numbers;
  }
  std::vector<T> gradient() const {
    std::vector<T> arena(static_cast<std::size_t>(program_.n_parameters()));
    for (index_t l = 0; l < program_.n_layers(); ++l) {
      const Operation& op = program_.dense(l);
      product::weights_gradient<T>(Arithmetic::exact, weights_of(op, arena.data()),
                                   biases_of(op, arena.data()), block_.input(op),
                                   block_.output_gradient(op), 0, false);
    }
    return arena;
  }

 private:
  void backward(const Question<T>& question) {
    const Operation& last = program_.operations().back();
    const MatrixView<T> gradient = block_.output_gradient(last);
    const bool given = question.dy.data != nullptr;
    const bool logits = !given && computed_from_logits(question.loss, last.activation);
    for (index_t i = 0; given && i < gradient.rows; ++i) {
      std::copy_n(question.dy.row(i), gradient.cols, gradient.row(i));
    }
    if (!given) {
      kernels<T>().loss(losses_.data(), gradient, logits ? block_.input(last) : block_.output(last),
                        question.rows.targets, question.scales.data(), question.loss, logits);
    }
    for (index_t i = program_.n_operations() - (logits ? 2 : 1); i >= 0; --i) {
      functions_of<T>(program_.operation(i)).backward(program_.operation(i), block_);
    }
  }

  const Program& program_;
  PackedWeights<T> packed_;
  Placement places_;
  Workspace<T> workspace_;
  Buffer<T> dx_;
  Buffer<T> losses_;
  Block<T> block_{};
};

}  // namespace pymlp::test

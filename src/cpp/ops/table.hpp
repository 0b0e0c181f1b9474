// The kinds of operation: a line each. A new kind is a file in this folder, and a line here.
#pragma once

#include <string_view>

#include "ops/activation.hpp"
#include "ops/batch_norm.hpp"
#include "ops/block.hpp"
#include "ops/dense.hpp"
#include "ops/dropout.hpp"
#include "ops/embedding.hpp"
#include "ops/parametric.hpp"
#include "ops/residual.hpp"
#include "ops/row_norm.hpp"
#include "ops/scale.hpp"
#include "ops/tensor.hpp"

namespace pymlp {

// What a kind does not say is in ops/defaults.hpp.
struct OperationTraits {
  std::string_view name;
  // Whether the gradient by its input replaces that by its output.
  bool (*gradient_in_place)(const Operation&);
  // Whether its output replaces its input, which nothing reads later.
  bool (*overwrites)(const Operation&, Keep keep, bool last);
  Tensors (*parameters)(const Operation&);
  Tensors (*states)(const Operation&);
  index_t (*parameter_rows)(const Operation&);  // a stretch is some of them
  ArenaRanges (*ranges)(const Operation&, Range rows);
  bool (*joins)(const Operation&);
  bool (*finishes)(const Operation&);
  bool (*by_columns)(const Operation&);
  index_t (*numbers_of_a_row)(const Operation&);
  index_t (*sums_of_a_block)(const Operation&);
  index_t (*sums_of_a_batch)(const Operation&);
  double (*multiply_adds)(const Operation&);  // of one row of the batch, in products
  double (*operations)(const Operation&);     // the cost of a row, as cuts count it
};

template <class T>
struct OperationFunctions {
  void (*forward)(const Operation&, const Block<T>&);
  void (*backward)(const Operation&, const Block<T>&);
  // Some columns of the output alone, where traits say so.
  void (*forward_columns)(const Operation&, const Block<T>&, Range columns);
  // Of the parameters, summed over the rows of the block; null where there are none.
  void (*gradient)(const Operation&, const Block<T>&, Range rows, T* arena, bool accumulate);
  // Of operations that wait for sums over the batch: the sums of a block, and of these those of the
  // batch; forth and back. What changes with the step once it is taken.
  void (*measure)(const Operation&, const Block<T>&);
  void (*join)(const Operation&, const Block<T>& batch);
  void (*measure_back)(const Operation&, const Block<T>&);
  void (*join_back)(const Operation&, const Block<T>& batch);
  void (*update_states)(const Operation&, const Block<T>& batch, T* arena);
  // Where traits say that something is left to do.
  void (*finish)(const Operation&, const Block<T>&, Range rows, T* arena);
};

namespace detail {

template <class Kind>
constexpr OperationTraits traits() {
  return {Kind::name,
          Kind::gradient_in_place,
          Kind::overwrites,
          Kind::parameters,
          Kind::states,
          Kind::parameter_rows,
          Kind::ranges,
          Kind::joins,
          Kind::finishes,
          Kind::by_columns,
          Kind::numbers_of_a_row,
          Kind::sums_of_a_block,
          Kind::sums_of_a_batch,
          Kind::multiply_adds,
          Kind::operations};
}

template <class Kind, class T>
constexpr OperationFunctions<T> functions() {
  OperationFunctions<T> result{};
  result.forward = Kind::template forward<T>;
  result.backward = Kind::template backward<T>;
  if constexpr (requires { &Kind::template forward_columns<T>; }) {
    result.forward_columns = Kind::template forward_columns<T>;
  }
  if constexpr (requires { &Kind::template gradient<T>; }) {
    result.gradient = Kind::template gradient<T>;
  }
  if constexpr (requires { &Kind::template finish<T>; }) result.finish = Kind::template finish<T>;
  if constexpr (requires { &Kind::template join<T>; }) {
    result.measure = Kind::template measure<T>;
    result.join = Kind::template join<T>;
    result.measure_back = Kind::template measure_back<T>;
    result.join_back = Kind::template join_back<T>;
    result.update_states = Kind::template update_states<T>;
  }
  return result;
}

// In the order of OperationKind.
template <class... Kinds>
struct OperationTable {
  static constexpr OperationTraits traits[] = {detail::traits<Kinds>()...};
  template <class T>
  static constexpr OperationFunctions<T> functions[] = {detail::functions<Kinds, T>()...};
};

}  // namespace detail

using Operations = detail::OperationTable<Dense, ActivationOperation, DropoutOperation, Residual,
                                          Scale, RowNorm, Parametric, BatchNorm, Embedding>;

inline const OperationTraits& traits_of(const Operation& op) {
  return Operations::traits[static_cast<std::size_t>(op.kind)];
}
template <class T>
const OperationFunctions<T>& functions_of(const Operation& op) {
  return Operations::functions<T>[static_cast<std::size_t>(op.kind)];
}

}  // namespace pymlp

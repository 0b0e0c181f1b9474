// A block of rows through operations. An interrupt ends it before its time.
#pragma once

#include <span>

#include "base/stages.hpp"
#include "ops/column_stage.hpp"
#include "ops/table.hpp"

namespace pymlp {

template <class T>
void propagate(std::span<const Operation> operations, const Block<T>& block) {
  for (const Operation& op : operations) {
    if (requested(block.interrupt)) return;
    functions_of<T>(op).forward(op, block);
  }
}

// The same in stages, whose columns several threads share.
template <class T>
void propagate_by_columns(std::span<const Operation> operations,
                          std::span<const ColumnStage> stages, const Block<T>& block, int threads) {
  const auto parts_of = [&](index_t s) { return stages[static_cast<std::size_t>(s)].parts; };
  parallel_stages(std::ssize(stages), threads, parts_of, [&](index_t s, index_t part) {
    const ColumnStage& stage = stages[static_cast<std::size_t>(s)];
    for (index_t i = stage.operations.first; i < stage.operations.end(); ++i) {
      if (requested(block.interrupt)) return;
      const Operation& op = operations[static_cast<std::size_t>(i)];
      if (stage.parts == 1) {
        functions_of<T>(op).forward(op, block);
      } else {
        functions_of<T>(op).forward_columns(op, block, stage.columns(part));
      }
    }
  });
}

}  // namespace pymlp

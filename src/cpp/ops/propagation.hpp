// A block of rows through operations, forth and back. An interrupt ends it before its time.
#pragma once

#include <span>

#include "ops/table.hpp"

namespace pymlp {

template <class T>
void propagate(std::span<const Operation> operations, const Block<T>& block) {
  for (const Operation& op : operations) {
    if (requested(block.interrupt)) return;
    functions_of<T>(op).forward(op, block);
  }
}

template <class T>
void propagate_back(std::span<const Operation> operations, const Block<T>& block) {
  for (std::size_t i = operations.size(); i-- > 0;) {
    if (requested(block.interrupt)) return;
    functions_of<T>(operations[i]).backward(operations[i], block);
  }
}

}  // namespace pymlp

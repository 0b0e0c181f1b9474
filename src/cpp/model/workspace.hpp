// Workspace: the memory of some rows between forward and backward, allocated once and reused.
#pragma once

#include "base/buffer.hpp"
#include "model/plan.hpp"
#include "model/source.hpp"
#include "ops/block.hpp"

namespace pymlp {

// What a purpose reads after the forward pass.
Keep keep_for(Purpose purpose, Mode mode, const Program& program);

template <class T>
Placement place(const Program& program, Keep keep);

template <class T>
class Workspace {
 public:
  void reserve(const Placement& places, index_t rows) {
    if (rows <= rows_) return;
    const index_t rounded = (rows + 15) / 16 * 16;  // every matrix begins on a cache line
    memory_ = Buffer<T>(places.size(rounded));      // which may throw
    rows_ = rounded;
  }
  index_t rows() const { return rows_; }
  T* memory() { return memory_.data(); }
  index_t size() const { return memory_.size() + room_.size(); }  // the numbers that it holds
  GatherRoom<T>& room() { return room_; }

 private:
  index_t rows_ = 0;
  Buffer<T> memory_;
  GatherRoom<T> room_;
};

}  // namespace pymlp

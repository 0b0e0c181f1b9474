// Phases: how far a batch goes before all of its blocks must have come there. There is one, forward
// and back, unless operations wait for sums over the batch.
#pragma once

#include <vector>

#include "model/program.hpp"

namespace pymlp {

// Operations forward, the loss, operations back, in this order; then the operation `joint` is given
// the sums over the batch, on the way forth or back.
struct Phase {
  Range forward{0, 0};
  Range backward{0, 0};
  bool is_first = false;
  bool has_loss = false;
  index_t joint = -1;  // none

  bool joins_forth() const { return joint >= 0 && !has_loss && forward.count > 0; }
  bool joins_back() const { return joint >= 0 && !joins_forth(); }
};

// `joins`: whether operations wait; `back`: whether there is a way back.
std::vector<Phase> phases_of(const Program& program, bool joins, bool back);

}  // namespace pymlp

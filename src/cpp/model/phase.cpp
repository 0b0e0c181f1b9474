#include "model/phase.hpp"

#include "ops/table.hpp"

namespace pymlp {

std::vector<Phase> phases_of(const Program& program, bool joins, bool back) {
  std::vector<index_t> joints;
  for (index_t i = 0; joins && i < program.n_operations(); ++i) {
    if (traits_of(program.operation(i)).joins(program.operation(i))) joints.push_back(i);
  }
  std::vector<Phase> phases;
  index_t done = 0;
  for (const index_t joint : joints) {
    phases.push_back({.forward = {done, joint - done}, .joint = joint});
    done = joint;
  }
  index_t left = program.n_operations();
  phases.push_back({.forward = {done, left - done}, .has_loss = true});
  for (; back && !joints.empty(); joints.pop_back()) {
    const index_t first = joints.back() + 1;
    phases.back().backward = {first, left - first};
    phases.back().joint = joints.back();
    left = first;
    phases.push_back({});
  }
  if (back) phases.back().backward = {0, left};
  phases.front().is_first = true;
  return phases;
}

}  // namespace pymlp

#include "model/workspace.hpp"

#include <algorithm>

#include "kernels/panels.hpp"
#include "ops/table.hpp"

namespace pymlp {

namespace {

// Takes matrices one behind the other. Were all to begin at multiples of 4 kilobytes, they would
// compete for the same lines of the first-level cache, so each begins five lines further.
template <class T>
Place take(Placement& places, index_t cols) {
  constexpr index_t kShift = 5 * 64 / sizeof(T);
  const Place place{places.numbers_of_a_row, places.shifts, cols, padded_stride<T>(cols)};
  places.numbers_of_a_row += place.stride;
  places.shifts += kShift;
  return place;
}

Place inputs() { return {.is_inputs = true}; }

// An operation that works in place has its inputs' half, others have the other half.
template <class T>
Placement place_outputs(const Program& program) {
  index_t widest = 0;
  for (const Operation& op : program.operations()) {
    if (op.output + 1 < program.n_buffers()) widest = std::max(widest, op.n_out);
  }
  const index_t half = widest > 0 ? padded_stride<T>(widest) : 0;
  Placement places{{inputs()}, {}, {}, 2 * half, 0};
  index_t offset = half;
  for (const Operation& op : program.operations()) {
    const bool over = traits_of(op).overwrites(op, Keep::outputs, false);
    if (over && places.values.back().is_inputs) {
      places.values.push_back(inputs());
      continue;
    }
    if (!over) offset = half - offset;
    places.values.push_back({offset, 0, op.n_out, padded_stride<T>(op.n_out)});
  }
  return places;
}

}  // namespace

Keep keep_for(Purpose purpose, Mode mode, const Program& program) {
  if (purpose == Purpose::predict) return Keep::outputs;
  if (purpose == Purpose::trace) return Keep::everything;
  if (mode == Mode::training && program.has_dropout()) return Keep::for_training;
  return purpose == Purpose::loss ? Keep::loss : Keep::for_backward;
}

template <class T>
Placement place(const Program& program, Keep keep) {
  if (keep == Keep::outputs) return place_outputs<T>(program);
  Placement places{{inputs()}, {inputs()}, {}, 0, 0};
  for (const Operation& op : program.operations()) {
    const OperationTraits& traits = traits_of(op);
    const bool last = op.output + 1 == program.n_buffers();
    const bool over = traits.overwrites(op, keep, last);
    places.values.push_back(over ? places.values.back() : take<T>(places, op.n_out));
    if (keep == Keep::everything) continue;
    const bool in_place = traits.gradient_in_place(op);
    places.gradients.push_back(in_place ? places.gradients.back() : take<T>(places, op.n_out));
    if (keep == Keep::loss) continue;
    const index_t kept = traits.numbers_of_a_row(op);
    places.kept.push_back(kept > 0 ? take<T>(places, kept) : Place{});
  }
  return places;
}

template Placement place<float>(const Program&, Keep);
template Placement place<double>(const Program&, Keep);

}  // namespace pymlp

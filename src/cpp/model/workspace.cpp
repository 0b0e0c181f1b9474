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

template <class T>
Placement place_outputs(const Program& program) {
  index_t widest = 0;
  for (const Operation& op : program.operations()) {
    if (op.output + 1 < program.n_buffers()) widest = std::max(widest, op.n_out);
  }
  const index_t half = widest > 0 ? padded_stride<T>(widest) : 0;
  Placement places{{Place{}}, {}, 2 * half, 0};
  for (const Operation& op : program.operations()) {
    places.values.push_back({op.layer % 2 * half, 0, op.n_out, padded_stride<T>(op.n_out)});
  }
  return places;
}

}  // namespace

Keep keep_for(Purpose purpose, const Program& program) {
  switch (purpose) {
    case Purpose::predict:
      return Keep::outputs;
    case Purpose::trace:
      return Keep::everything;
    case Purpose::training:
      return program.has_dropout() ? Keep::for_training : Keep::for_backward;
    default:
      return Keep::for_backward;
  }
}

template <class T>
Placement place(const Program& program, Keep keep) {
  if (keep == Keep::outputs) return place_outputs<T>(program);
  Placement places{{Place{}}, {Place{}}, 0, 0};
  for (const Operation& op : program.operations()) {
    const bool last = op.output + 1 == program.n_buffers();
    const bool over = traits_of(op).overwrites(op, keep, last);
    places.values.push_back(over ? places.values.back() : take<T>(places, op.n_out));
    if (keep == Keep::everything) continue;
    const bool in_place = traits_of(op).gradient_in_place;
    places.gradients.push_back(in_place ? places.gradients.back() : take<T>(places, op.n_out));
  }
  return places;
}

template Placement place<float>(const Program&, Keep);
template Placement place<double>(const Program&, Keep);

}  // namespace pymlp

#include "model/workspace.hpp"

namespace pymlp {

namespace {

bool needs_own_z(const Layout& layout, index_t l, Keep keep) {
  const ActivationTraits& traits = traits_of(layout.layer(l).activation.kind);
  const bool last = l + 1 == layout.n_layers();
  return keep == Keep::everything || traits.derivative_needs_z || (last && traits.unit_interval);
}

// Each matrix begins on a cache line.
index_t padded(index_t elements) { return (elements + 15) / 16 * 16; }

}  // namespace

template <class T>
Workspace<T>::Workspace(const Layout& layout, index_t capacity, Keep keep) : capacity_(capacity) {
  index_t total = 0;
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    total += padded(capacity * layout.layer(l).n_out) * (needs_own_z(layout, l, keep) ? 3 : 2);
  }
  memory_ = Buffer<T>(total);
  T* next = memory_.data();
  const auto take = [&](index_t cols) {
    const MatrixView<T> view{next, capacity, cols, cols};
    next += padded(capacity * cols);
    return view;
  };
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    const index_t n_out = layout.layer(l).n_out;
    traces_.a.push_back(take(n_out));
    traces_.z.push_back(needs_own_z(layout, l, keep) ? take(n_out) : traces_.a.back());
    traces_.dz.push_back(take(n_out));
  }
}

template <class T>
const Traces<T>& Workspace<T>::traces(index_t m) {
  for (auto* matrices : {&traces_.z, &traces_.a, &traces_.dz}) {
    for (MatrixView<T>& matrix : *matrices) matrix.rows = m;
  }
  return traces_;
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace pymlp

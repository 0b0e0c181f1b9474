#include "model/workspace.hpp"

#include "kernels/panels.hpp"

namespace pymlp {

namespace {

bool needs_own_z(const Layout& layout, index_t l) {
  const ActivationTraits& traits = traits_of(layout.layer(l).activation.kind);
  const bool last = l + 1 == layout.n_layers();
  // A loss may be computed from the last layer's z instead of its a.
  return traits.derivative_needs_z || last;
}

bool needs_own_out(const Layout& layout, index_t l, Dropout dropout) {
  return dropout == Dropout::on && layout.layer(l).dropout > 0.0;
}

// Each matrix begins on a cache line.
template <class T>
index_t matrix_size(index_t rows, index_t cols) {
  return (rows * padded_stride<T>(cols) + 15) / 16 * 16;
}

}  // namespace

template <class T>
Workspace<T>::Workspace(const Layout& layout, index_t capacity, Dropout dropout)
    : capacity_(capacity) {
  index_t total = 0;
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    const int matrices = 2 + needs_own_z(layout, l) + needs_own_out(layout, l, dropout);
    total += matrix_size<T>(capacity, layout.layer(l).n_out) * matrices;
  }
  memory_ = Buffer<T>(total);
  T* next = memory_.data();
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    const index_t n_out = layout.layer(l).n_out;
    const auto take = [&] {
      const MatrixView<T> view{next, capacity, n_out, padded_stride<T>(n_out)};
      next += matrix_size<T>(capacity, n_out);
      return view;
    };
    traces_.a.push_back(take());
    traces_.z.push_back(needs_own_z(layout, l) ? take() : traces_.a.back());
    traces_.out.push_back(needs_own_out(layout, l, dropout) ? take() : traces_.a.back());
    traces_.dz.push_back(take());
  }
}

template <class T>
const Traces<T>& Workspace<T>::traces(index_t m) {
  for (auto* matrices : {&traces_.z, &traces_.a, &traces_.out, &traces_.dz}) {
    for (MatrixView<T>& matrix : *matrices) matrix.rows = m;
  }
  return traces_;
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace pymlp

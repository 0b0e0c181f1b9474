#include "model/propagation.hpp"

#include "kernels/activation.hpp"
#include "kernels/loss.hpp"
#include "kernels/table.hpp"
#include "kernels/product.hpp"

namespace pymlp {

namespace {

template <class T>
MatrixView<T> at(const std::vector<MatrixView<T>>& matrices, index_t l) {
  return matrices[static_cast<std::size_t>(l)];
}

template <class T>
MatrixView<T> at(const std::vector<MatrixView<T>>& matrices, index_t l, Range rows) {
  return at(matrices, l).slice(rows.first, rows.count);
}

}  // namespace

template <class T>
void Propagation<T>::forward(Range rows, bool output_activation) const {
  ConstMatrixView<T> input = x.slice(rows.first, rows.count);
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    const MatrixView<T> z = at(traces.z, l, rows);
    const MatrixView<T> a = at(traces.a, l, rows);
    product::forward<T>(z, input, weights(l), layout.biases(parameters, l));
    if (l + 1 < layout.n_layers() || output_activation) {
      activate<T>(a, z, layout.layer(l).activation);
    }
    if (drops(l)) drop(at(traces.out, l, rows), a, l, rows);
    input = output(l).slice(rows.first, rows.count);
  }
}

template <class T>
product::Weights<T> Propagation<T>::weights(index_t l) const {
  if (packed != nullptr) return packed->layer(parameters, l);
  return {layout.weights(parameters, l)};
}

// What the next layer reads; without draws nothing is dropped, whatever there is room for.
template <class T>
ConstMatrixView<T> Propagation<T>::output(index_t l) const {
  return at(drops(l) ? traces.out : traces.a, l);
}

// The same units are dropped on the way back as on the way forth, because the draws are the same.
template <class T>
void Propagation<T>::drop(MatrixView<T> to, ConstMatrixView<T> from, index_t l, Range rows) const {
  kernels<T>().dropout(to, from, layout.layer(l).dropout, dropout->seed, dropout->step,
                       static_cast<std::uint32_t>(l), rows.first);
}

template <class T>
void Propagation<T>::loss(const Loss& loss, const Targets<T>& targets, const T* scale, T* losses,
                          Range rows) const {
  const index_t last = layout.n_layers() - 1;
  loss_and_gradient<T>(losses + rows.first, at(traces.dz, last, rows), at(traces.z, last, rows),
                       at(traces.a, last, rows), targets.slice(rows.first, rows.count),
                       scale + rows.first, loss, layout.output());
  if (!computed_from_logits(loss, layout.output())) output_backward(rows);
}

template <class T>
void Propagation<T>::output_backward(Range rows) const {
  const index_t last = layout.n_layers() - 1;
  const MatrixView<T> dz = at(traces.dz, last, rows);
  activate_backward<T>(dz, dz, at(traces.z, last, rows), at(traces.a, last, rows), layout.output());
}

template <class T>
void Propagation<T>::backward(MatrixView<T> dx, Range rows) const {
  for (index_t l = layout.n_layers() - 1; l > 0; --l) {
    const MatrixView<T> dz = at(traces.dz, l - 1, rows);
    product::input_gradient<T>(dz, at(traces.dz, l, rows), weights(l));
    if (drops(l - 1)) drop(dz, dz, l - 1, rows);
    activate_backward<T>(dz, dz, at(traces.z, l - 1, rows), at(traces.a, l - 1, rows),
                         layout.layer(l - 1).activation);
  }
  if (dx.data != nullptr) {
    product::input_gradient<T>(dx.slice(rows.first, rows.count), at(traces.dz, 0, rows),
                               weights(0));
  }
}

template <class T>
void Propagation<T>::parameter_gradient(T* gradient, const WeightBlock& block, Range rows) const {
  const index_t l = block.layer;
  const ConstMatrixView<T> input = l == 0 ? x : output(l - 1);
  const MatrixView<T> dw = layout.weights(gradient, l).slice(block.rows.first, block.rows.count);
  T* db = is_last_of_layer(layout, block) ? layout.biases(gradient, l) : nullptr;
  product::weights_gradient<T>(dw, db, input.slice(rows.first, rows.count), at(traces.dz, l, rows),
                               block.rows.first, false);
}

template struct Propagation<float>;
template struct Propagation<double>;

}  // namespace pymlp

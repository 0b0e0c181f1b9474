#include "model/sample_lanes.hpp"

#include <algorithm>

#include "kernels/table.hpp"
#include "model/batch_loss.hpp"
#include "ops/packed_weights.hpp"

namespace pymlp {

namespace {

constexpr index_t kMostColumns = 512;
constexpr index_t kBytesOfAChunk = 28 << 10;  // stays in the nearest cache, beside the weights

template <class T>
index_t columns_for(index_t rows, index_t lanes) {
  const index_t fit = kBytesOfAChunk / (rows * static_cast<index_t>(sizeof(T)));
  return std::clamp(fit / lanes * lanes, lanes, kMostColumns);
}

template <class T>
Strided<T> as_units(const T* w, index_t n_out) {  // of W (n_in, n_out), its transpose
  return {w, 1, n_out};
}

}  // namespace

template <class T>
SampleLanes<T>::SampleLanes(const Program& program) : n_parameters_(program.n_parameters()) {
  layers_.reserve(static_cast<std::size_t>(program.n_layers()));
  index_t x = take(program.n_inputs());
  for (index_t l = 0; l < program.n_layers(); ++l) {
    append(program.dense(l), program.activation(l));
    layers_.back().x = std::exchange(x, layers_.back().a);
  }
  const auto trained = std::ranges::find(layers_, false, &Layer::frozen);
  first_trained_ = trained - layers_.begin();
  scales_ = take(1);
  losses_ = take(1);
  labels_ = take(1);
  values_ = take(program.n_outputs());
  for (index_t& gradient : gradients_) gradient = take(program.widest());
  columns_ = columns_for<T>(rows_, kLanes);
}

template <class T>
index_t SampleLanes<T>::take(index_t rows) {
  return std::exchange(rows_, rows_ + rows);
}

// A layer keeps z apart where its derivative needs it.
template <class T>
void SampleLanes<T>::append(const Operation& dense, const Operation& activation) {
  const index_t n = dense.n_out;
  const index_t z = take(n);
  const bool in_place = !traits_of(activation.activation.kind).derivative_needs_z;
  const index_t a = in_place ? z : take(n);
  layers_.push_back({dense.n_in, n, dense.first_parameter, dense.n_parameters, dense.has_biases,
                     dense.frozen, activation.activation, 0, z, a});
}

template <class T>
template <class Body>
void SampleLanes<T>::for_chunks(index_t rows, T* memory, Body&& body) const {
  for (index_t first = 0; first < rows; first += columns_) {
    const index_t count = std::min(columns_, rows - first);
    body(Chunk{memory, (count + kLanes - 1) / kLanes * kLanes, {first, count}});
  }
}

template <class T>
void SampleLanes<T>::predict(const T* parameters, ConstMatrixView<T> x, MatrixView<T> y,
                             T* memory) const {
  for_chunks(x.rows, memory, [&](const Chunk& chunk) {
    const auto [first, count] = chunk.rows;
    kernels<T>().to_lanes(chunk.matrix(0, x.cols), x, nullptr, first, count);
    go_forth(parameters, chunk, false);
    kernels<T>().from_lanes(y.slice(first, count), chunk.matrix(layers_.back().a, y.cols));
  });
}

template <class T>
void SampleLanes<T>::run(const LanePass<T>& pass, T* memory) const {
  const bool from_logits = computed_from_logits(pass.loss, layers_.back().activation);
  for_chunks(pass.rows.count, memory, [&](const Chunk& chunk) {
    read(pass, chunk);
    go_forth(pass.parameters, chunk, from_logits);
    take_loss(pass, chunk, from_logits);
    if (pass.gradient != nullptr) go_back(pass, chunk, from_logits);
  });
  if (pass.gradient == nullptr) return;
  const T* sums = memory + numbers_of_a_chunk();
  for (const auto& [first, count] : pass.trained) {
    kernels<T>().fold_lanes(pass.gradient + first, sums + kLanes * first, count);
  }
}

// The rows of a chunk, through the batch's order.
template <class T>
void SampleLanes<T>::read(const LanePass<T>& pass, const Chunk& chunk) const {
  const auto& [source, order, range] = pass.batch;
  const index_t first = range.first + pass.rows.first + chunk.rows.first;
  const index_t* rows = order == nullptr ? nullptr : order + first;
  const Samples<T> all = source.rows({0, source.size()});
  const Kernels<T>& k = kernels<T>();
  const index_t count = chunk.rows.count;
  k.to_lanes(chunk.matrix(0, all.x.cols), all.x, rows, first, count);
  if (all.targets.labels == nullptr) {
    const ConstMatrixView<T>& values = all.targets.values;
    return k.to_lanes(chunk.matrix(values_, values.cols), values, rows, first, count);
  }
  auto* labels = reinterpret_cast<std::int32_t*>(chunk.matrix(labels_, 1).data);
  if (rows == nullptr) {
    std::copy_n(all.targets.labels + first, count, labels);
  } else {
    for (index_t i = 0; i < count; ++i) labels[i] = all.targets.labels[rows[i]];
  }
  std::fill(labels + count, labels + chunk.columns, labels[count - 1]);
}

template <class T>
void SampleLanes<T>::go_forth(const T* parameters, const Chunk& chunk, bool to_logits) const {
  const Kernels<T>& k = kernels<T>();
  for (const Layer& layer : layers_) {
    const T* w = parameters + layer.first_parameter;
    const MatrixView<T> z = chunk.matrix(layer.z, layer.n_out);
    k.lane_product(z, as_units(w, layer.n_out), chunk.matrix(layer.x, layer.n_in),
                   layer.has_biases ? w + layer.n_in * layer.n_out : nullptr);
    if (to_logits && &layer == &layers_.back()) return;
    k.lane_activation(chunk.matrix(layer.a, layer.n_out), z, layer.activation);
  }
}

// The losses, and the gradient at the outputs: 0 for samples that do not count.
template <class T>
void SampleLanes<T>::take_loss(const LanePass<T>& pass, const Chunk& chunk,
                               bool from_logits) const {
  const Layer& last = layers_.back();
  const index_t count = chunk.rows.count;
  T* const scales = chunk.matrix(scales_, 1).data;
  T* const losses = chunk.matrix(losses_, 1).data;
  set_scales(scales, pass.batch, {pass.rows.first + chunk.rows.first, count}, pass.share);
  std::fill(scales + count, scales + chunk.columns, T(0));
  const MatrixView<T> gradient = chunk.matrix(gradients_[0], last.n_out);
  kernels<T>().lane_loss(losses, gradient, chunk.matrix(from_logits ? last.z : last.a, last.n_out),
                         targets(pass, chunk), scales, pass.loss, from_logits);
  std::copy_n(losses, count, pass.losses + chunk.rows.first);
  const index_t first = pass.batch.source.weights() != nullptr ? 0 : count;
  for (index_t j = 0; j < last.n_out; ++j) {
    for (index_t l = first; l < chunk.columns; ++l) {
      if (scales[l] == T(0)) gradient.row(j)[l] = T(0);
    }
  }
}

template <class T>
Targets<T> SampleLanes<T>::targets(const LanePass<T>& pass, const Chunk& chunk) const {
  if (!pass.batch.source.has_labels()) {
    return {nullptr, chunk.matrix(values_, layers_.back().n_out)};
  }
  return {reinterpret_cast<const std::int32_t*>(chunk.matrix(labels_, 1).data), {}};
}

// dz, dW and db of every layer, and dx but of the first that is trained.
template <class T>
void SampleLanes<T>::go_back(const LanePass<T>& pass, const Chunk& chunk, bool from_logits) const {
  const Kernels<T>& k = kernels<T>();
  T* const sums = chunk.memory + numbers_of_a_chunk();
  index_t turn = 0;
  for (index_t l = std::ssize(layers_); l-- > first_trained_;) {
    const Layer& layer = layers_[static_cast<std::size_t>(l)];
    const MatrixView<T> dz = chunk.matrix(gradients_[turn], layer.n_out);
    if (l + 1 < std::ssize(layers_) || !from_logits) {
      k.lane_activation_backward(dz, dz, chunk.matrix(layer.z, layer.n_out),
                                 chunk.matrix(layer.a, layer.n_out), layer.activation);
    }
    if (pass.dz != nullptr) {
      const MatrixView<T>& rows = (*pass.dz)[static_cast<std::size_t>(l)];
      k.from_lanes(rows.slice(pass.rows.first + chunk.rows.first, chunk.rows.count), dz);
    }
    const ConstMatrixView<T> x = chunk.matrix(layer.x, layer.n_in);
    if (!layer.frozen) {
      k.lane_sums(sums + kLanes * layer.first_parameter, x, dz, layer.has_biases,
                  chunk.rows.first > 0);
    }
    if (l == first_trained_) return;
    turn = 1 - turn;
    const ConstMatrixView<T> w(pass.parameters + layer.first_parameter, layer.n_in, layer.n_out,
                               layer.n_out);
    k.lane_product(chunk.matrix(gradients_[turn], layer.n_in), as_it_is(w), dz, nullptr);
  }
}

template class SampleLanes<float>;
template class SampleLanes<double>;

}  // namespace pymlp

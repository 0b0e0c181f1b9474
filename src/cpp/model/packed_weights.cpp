#include "model/packed_weights.hpp"

namespace pymlp {

template <class T>
PackedWeights<T>::PackedWeights(const Layout& layout, index_t first_transposed) : layout_(layout) {
  index_t total = 0;
  const auto take = [&total](index_t size) { return size == 0 ? kNone : (total += size) - size; };
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    const auto [n_in, n_out] = std::pair(layout.layer(l).n_in, layout.layer(l).n_out);
    const index_t panels = take(product::panels_size<T>(n_in, n_out));
    const bool backward = l >= first_transposed;
    offsets_.push_back({panels, take(backward ? product::transposed_size<T>(n_in, n_out) : 0)});
  }
  memory_ = Buffer<T>(total);
}

template <class T>
product::Weights<T> PackedWeights<T>::layer(const T* parameters, index_t l) const {
  const auto [panels, transposed] = offsets_[static_cast<std::size_t>(l)];
  return {layout_.weights(parameters, l), panels == kNone ? nullptr : memory_.data() + panels,
          transposed == kNone ? nullptr : memory_.data() + transposed};
}

template <class T>
void PackedWeights<T>::refresh(const T* parameters, const WeightBlock& block) {
  const auto [panels, transposed] = offsets_[static_cast<std::size_t>(block.layer)];
  const ConstMatrixView<T> w = layout_.weights(parameters, block.layer);
  const auto [first, count] = block.rows;
  if (panels != kNone) product::pack<T>(memory_.data() + panels, w, first, count);
  if (transposed != kNone) product::transpose<T>(memory_.data() + transposed, w, first, count);
}

template class PackedWeights<float>;
template class PackedWeights<double>;

}  // namespace pymlp

#include "model/transposed_weights.hpp"

#include "kernels/gemm.hpp"

namespace pymlp {

template <class T>
TransposedWeights<T>::TransposedWeights(const Layout& layout, index_t first_layer)
    : layout_(layout), first_layer_(first_layer) {
  index_t total = 0;
  for (index_t l = 0; l < layout.n_layers(); ++l) {
    offsets_.push_back(total);
    const Layer& layer = layout.layer(l);
    if (l >= first_layer) total += gemm::transposed_size<T>(layer.n_in, layer.n_out);
  }
  memory_ = Buffer<T>(total);
}

template <class T>
void TransposedWeights<T>::refresh(const T* parameters, const WeightBlock& block) {
  if (block.layer < first_layer_) return;
  gemm::transpose<T>(memory_.data() + offset(block.layer),
                     layout_.weights(parameters, block.layer), block.rows.first, block.rows.count);
}

template class TransposedWeights<float>;
template class TransposedWeights<double>;

}  // namespace pymlp

#include "model/optimizer.hpp"

#include <algorithm>

#include "kernels/table.hpp"

namespace pymlp {

template <class T>
Optimizer<T>::Optimizer(const OptimizerRule& rule, index_t n_parameters)
    : rule_(rule), n_parameters_(n_parameters), state_(state_count(rule) * n_parameters) {
  std::ranges::fill(state_.span(), static_cast<T>(initial_state(rule)));
}

template <class T>
void Optimizer<T>::begin_step(const Clipping& clipping) {
  step_ = make_step<T>(rule_, ++steps_, clipping);
}

template <class T>
void Optimizer<T>::update(T* parameters, const T* gradient, index_t first, index_t count) {
  std::array<T*, kMostStates> state{};
  for (index_t s = 0; s < state_count(rule_); ++s) {
    state[static_cast<std::size_t>(s)] = state_.data() + s * n_parameters_ + first;
  }
  kernels<T>().optimizer_update(step_, parameters + first, gradient + first, state.data(), count);
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace pymlp

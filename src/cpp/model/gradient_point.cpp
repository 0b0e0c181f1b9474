#include "model/gradient_point.hpp"

#include <algorithm>

#include "kernels/table.hpp"

namespace pymlp {

template <class T>
GradientPoint<T>::GradientPoint(Network<T>& network, const Program& program, double average)
    : network_(network), program_(program), average_(average) {
  if (average_ == 0.0) return;
  own_ = Buffer<T>(program_.arena_size());
  left_ = Buffer<T>(program_.arena_size());
  std::copy_n(network_.parameters(), left_.size(), own_.data());
  leave();
}

template <class T>
void GradientPoint<T>::reserve(const Optimizer<T>& optimizer) {
  if (average_ > 0.0) return;
  const index_t size = is_schedule_free(optimizer.rule()) ? program_.arena_size() : 0;
  if (own_.size() != size) own_ = Buffer<T>(size);
}

template <class T>
void GradientPoint<T>::enter(const Optimizer<T>& optimizer) {
  reserve(optimizer);
  if (own_.size() == 0) return;
  const T* shown = network_.parameters();
  if (average_ == 0.0) {
    std::copy_n(shown, own_.size(), own_.data());  // states and what stands still among them
    return follow(optimizer);
  }
  take_written(own_);
}

// What was written to the average since the last scope was written to w too.
template <class T>
void GradientPoint<T>::take_written(Buffer<T>& own) const {
  const T* shown = network_.parameters();
  for (index_t i = 0; i < left_.size(); ++i) {
    if (!(shown[i] == left_[i])) own[i] = shown[i];
  }
}

template <class T>
Buffer<T> GradientPoint<T>::averaged() const {
  if (average_ == 0.0) return {};
  Buffer<T> own(own_.size());
  std::ranges::copy(own_.span(), own.data());
  take_written(own);
  return own;
}

template <class T>
void GradientPoint<T>::go_on(std::span<const T> averaged) {
  if (average_ == 0.0) return;
  std::ranges::copy(averaged, own_.data());
  leave();
  end_step();
}

template <class T>
void GradientPoint<T>::leave() {
  std::copy_n(network_.parameters(), left_.size(), left_.data());
}

template <class T>
void GradientPoint<T>::follow(const Optimizer<T>& optimizer, Range range) {
  if (own_.size() == 0) return;
  if (average_ > 0.0) return average(range);
  const auto [first, count] = range;
  optimizer.gradient_point(own_.data() + first, network_.parameters() + first, first, count);
}

template <class T>
void GradientPoint<T>::follow_states() {
  if (average_ == 0.0) return;
  average({program_.n_parameters(), program_.arena_size() - program_.n_parameters()});
}

template <class T>
void GradientPoint<T>::average(Range range) {
  const auto [first, count] = range;
  T* const shown = network_.parameters() + first;
  const T* const own = own_.data() + first;
  if (share_ == T(1)) {
    std::copy_n(own, count, shown);
  } else {
    kernels<T>().interpolate(shown, own, share_, count);
  }
}

template <class T>
void GradientPoint<T>::follow(const Optimizer<T>& optimizer) {
  for (const Operation& op : program_.operations()) {
    if (!op.frozen) follow(optimizer, {op.first_parameter, op.n_parameters});
  }
}

template class GradientPoint<float>;
template class GradientPoint<double>;

}  // namespace pymlp

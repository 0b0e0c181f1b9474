// Workspace: the matrices of one batch between forward and backward, allocated once and reused.
#pragma once

#include <vector>

#include "base/buffer.hpp"
#include "model/layout.hpp"

namespace pymlp {

// z[l], a[l], dz[l] of the layers 0 .. L-1 behind the input, as views on memory somebody owns;
// out[l] is what the next layer reads: a[l], or a[l] with units dropped. a and z are one matrix
// where the derivative can be had from a alone.
template <class T>
struct Traces {
  std::vector<MatrixView<T>> z;
  std::vector<MatrixView<T>> a;
  std::vector<MatrixView<T>> out;
  std::vector<MatrixView<T>> dz;
};

enum class Dropout { off, on };

template <class T>
class Workspace {
 public:
  // Room for `capacity` samples. The last layer's z is kept where a loss may be computed from it.
  Workspace(const Layout& layout, index_t capacity, Dropout dropout);

  index_t capacity() const { return capacity_; }
  // The views for a batch of m <= capacity samples; no allocation.
  const Traces<T>& traces(index_t m);

 private:
  index_t capacity_;
  Buffer<T> memory_;
  Traces<T> traces_;
};

}  // namespace pymlp

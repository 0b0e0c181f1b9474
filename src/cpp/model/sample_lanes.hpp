// SampleLanes: a network of narrow layers, computed with samples as lanes. Its matrices are
// transposed: a row for each unit, a column for each sample, so that vectors are full however few
// units there are. Rows of a batch are taken by chunks whose values stay in the nearest cache.
// Which networks are computed so is the plan's to say.
#pragma once

#include <vector>

#include "kernels/loss.hpp"
#include "model/batch_loss.hpp"
#include "model/program.hpp"
#include "model/source.hpp"

namespace pymlp {

// Some rows of a batch, and what is wanted of them.
template <class T>
struct LanePass {
  const T* parameters;
  const Batch<T>& batch;
  Range rows;   // of the batch
  Share share;  // of a row in the batch's loss
  const Loss& loss;
  T* losses;                                       // of these rows
  T* gradient;                                     // an arena; null: losses alone
  const std::vector<Range>& trained;               // its parts that are wanted
  const std::vector<MatrixView<T>>* dz = nullptr;  // of each layer, matrices of the batch's size
};

template <class T>
class SampleLanes {
 public:
  explicit SampleLanes(const Program& program);

  // Samples whose values are in memory at the same time.
  index_t samples() const { return columns_; }
  // Of memory, for one worker; a prediction needs less.
  index_t numbers() const { return numbers_of_a_chunk() + kLanes * n_parameters_; }
  index_t numbers_of_a_chunk() const { return rows_ * columns_; }

  // y (m, n_out) = the network's outputs for x (m, n_in).
  void predict(const T* parameters, ConstMatrixView<T> x, MatrixView<T> y, T* memory) const;
  // The losses, and where it is wanted the gradient of the layers that do not stand still.
  void run(const LanePass<T>& pass, T* memory) const;

 private:
  static constexpr index_t kLanes = 16;

  // Matrices lie one behind the other: each begins as many rows behind the memory's begin.
  struct Layer {
    index_t n_in, n_out;
    index_t first_parameter, n_parameters;
    bool has_biases, frozen;
    Activation activation;
    index_t x, z, a;
  };
  // As many samples as stay in the nearest cache, in the memory of a worker.
  struct Chunk {
    T* memory;
    index_t columns;  // whole groups of lanes
    Range rows;       // of the samples
    MatrixView<T> matrix(index_t at, index_t n) const {
      return {memory + at * columns, n, columns, columns};
    }
  };
  // body(chunk) for some rows, one after the other.
  template <class Body>
  void for_chunks(index_t rows, T* memory, Body&& body) const;
  index_t take(index_t rows);
  void append(const Operation& dense, const Operation& activation);

  void read(const LanePass<T>& pass, const Chunk& chunk) const;
  void go_forth(const T* parameters, const Chunk& chunk, bool to_logits) const;
  void take_loss(const LanePass<T>& pass, const Chunk& chunk, bool from_logits) const;
  void go_back(const LanePass<T>& pass, const Chunk& chunk, bool from_logits) const;
  Targets<T> targets(const LanePass<T>& pass, const Chunk& chunk) const;

  std::vector<Layer> layers_;
  index_t first_trained_ = 0;  // layer
  index_t rows_ = 0;           // of all matrices
  index_t scales_, losses_, labels_, values_;
  index_t gradients_[2];
  index_t columns_ = 0;  // of a chunk, at most
  index_t n_parameters_;
};

}  // namespace pymlp

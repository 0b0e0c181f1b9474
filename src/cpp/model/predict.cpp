#include "model/predict.hpp"

#include <algorithm>
#include <vector>

#include "base/copy_rows.hpp"
#include "base/team.hpp"
#include "model/plan.hpp"
#include "ops/propagation.hpp"

namespace pymlp {

namespace {

constexpr index_t kStackBytes = 16 << 10;

template <class T>
Block<T> block_of(const Reading<T>& reading, const Placement& places, T* memory, Range rows,
                  ConstMatrixView<T> x) {
  Block<T> block{
      &places,           memory, rows.count, 0, rows.first, x.slice(rows.first, rows.count),
      reading.parameters};
  block.interrupt = reading.interrupt;
  block.arithmetic = reading.arithmetic;
  return block;
}

// body(block) for every block of rows, each worker in memory of its own.
template <class T, class Body>
void for_blocks(const Reading<T>& reading, const Placement& places, const RowCuts& cuts,
                ConstMatrixView<T> x, Body&& body) {
  const index_t size = places.size(cuts.largest_block());
  const index_t workers = std::min<index_t>(cuts.threads, cuts.blocks);
  // All memory is taken before the work is shared out.
  Buffer<T> memory(size * workers);
  parallel_for(cuts.blocks, static_cast<int>(workers), [&](index_t b, index_t worker) {
    body(block_of(reading, places, memory.data() + size * worker, cuts.block(b), x));
  });
}

// With samples as lanes.
template <class T>
void predict_in_lanes(const Reading<T>& reading, const RowCuts& cuts, ConstMatrixView<T> x,
                      MatrixView<T> y) {
  const SampleLanes<T>& lanes = reading.network.lanes();
  const index_t size = lanes.numbers_of_a_chunk();
  alignas(kAlignment) T one[kStackBytes / sizeof(T)];
  const index_t workers = std::min<index_t>(cuts.threads, cuts.blocks);
  const bool fits = workers == 1 && size <= std::ssize(one);
  Buffer<T> memory(fits ? 0 : size * workers);
  T* const first = fits ? one : memory.data();
  parallel_for(cuts.blocks, static_cast<int>(workers), [&](index_t b, index_t worker) {
    if (requested(reading.interrupt)) return;
    const auto [row, count] = cuts.block(b);
    lanes.predict(reading.parameters, x.slice(row, count), y.slice(row, count),
                  first + size * worker);
  });
}

// Threads share the columns of wide operations.
template <class T>
void predict_by_columns(const Reading<T>& reading, const Plan& plan, int threads,
                        ConstMatrixView<T> x, MatrixView<T> y) {
  const Network<T>& network = reading.network;
  const Placement& places = network.outputs_alone();
  Buffer<T> memory(places.size(x.rows));
  Block<T> block = block_of(reading, places, memory.data(), {0, x.rows}, x);
  block.y = y;
  const std::vector<ColumnStage> stages = plan.column_stages(x.rows);
  propagate_by_columns<T>(network.program().operations(), stages, block, threads);
}

}  // namespace

template <class T>
void predict(const Reading<T>& reading, ConstMatrixView<T> x, MatrixView<T> y, int threads) {
  const Program& program = reading.network.program();
  const Placement& places = reading.network.outputs_alone();
  const Plan plan(program, Purpose::predict, x.rows, sizeof(T), threads, false, Mode::inference,
                  reading.arithmetic);
  const RowCuts cuts = plan.cut(x.rows);
  if (cuts.lanes) return predict_in_lanes(reading, cuts, x, y);
  if (cuts.kind == Blocks::of_columns) {
    return predict_by_columns(reading, plan, cuts.threads, x, y);
  }
  const index_t bytes = places.size(x.rows) * static_cast<index_t>(sizeof(T));
  if (bytes <= kStackBytes && cuts.threads == 1) {
    // A few rows, in memory that costs nothing to have.
    alignas(kAlignment) T memory[kStackBytes / sizeof(T)];
    Block<T> block = block_of(reading, places, memory, {0, x.rows}, x);
    block.y = y;
    return propagate(program.operations(), block);
  }
  for_blocks(reading, places, cuts, x, [&](Block<T> block) {
    block.y = y.slice(block.first_of_batch, block.rows());
    propagate(program.operations(), block);
  });
}

template <class T>
void embed(const Reading<T>& reading, ConstMatrixView<T> x, MatrixView<T> y, int threads) {
  constexpr index_t kRows = 256;
  const Operation& op = reading.network.program().operation(0);
  const Placement places{
      {{.is_inputs = true}, {.cols = y.cols, .stride = y.stride}}, {}, {}, y.stride};
  parallel_for((x.rows + kRows - 1) / kRows, threads, [&](index_t b, index_t) {
    const Range rows{b * kRows, std::min(kRows, x.rows - b * kRows)};
    if (requested(reading.interrupt)) return;
    functions_of<T>(op).forward(op, block_of(reading, places, y.row(rows.first), rows, x));
  });
}

template <class T>
void trace(const Reading<T>& reading, ConstMatrixView<T> x, const std::vector<MatrixView<T>>& z,
           const std::vector<MatrixView<T>>& a, int threads) {
  const Program& program = reading.network.program();
  const Placement places = place<T>(program, Keep::everything);
  const RowCuts cuts = Plan(program, Purpose::trace, x.rows, sizeof(T), threads, false,
                            Mode::inference, reading.arithmetic)
                           .cut(x.rows);
  for_blocks(reading, places, cuts, x, [&](const Block<T>& block) {
    propagate(program.operations(), block);
    if (came(reading.interrupt)) return;
    for (std::size_t l = 0; l < z.size(); ++l) {
      const auto layer = static_cast<index_t>(l);
      copy_rows<T>(z[l].slice(block.first_of_batch, block.rows()),
                   block.input(program.activation(layer)));
      copy_rows<T>(a[l].slice(block.first_of_batch, block.rows()),
                   block.output(program.last(layer)));
    }
  });
}

template void predict(const Reading<float>&, ConstMatrixView<float>, MatrixView<float>, int);
template void predict(const Reading<double>&, ConstMatrixView<double>, MatrixView<double>, int);
template void embed(const Reading<float>&, ConstMatrixView<float>, MatrixView<float>, int);
template void embed(const Reading<double>&, ConstMatrixView<double>, MatrixView<double>, int);
template void trace(const Reading<float>&, ConstMatrixView<float>,
                    const std::vector<MatrixView<float>>&, const std::vector<MatrixView<float>>&,
                    int);
template void trace(const Reading<double>&, ConstMatrixView<double>,
                    const std::vector<MatrixView<double>>&, const std::vector<MatrixView<double>>&,
                    int);

}  // namespace pymlp

// Samples as lanes: the products of narrow networks, on matrices with a row for each unit and a
// column for each sample. A row is whole vectors however few units there are, and a weight is one
// number for all of them.
//
// Elements of products are the chains of panels.hpp. Gradients of parameters sum over samples: a
// chain for each of 16 lanes, which are added in pairs, as in loops.hpp, when all samples are done.
#include <utility>

#include "kernels/panels.hpp"
#include "kernels/table.hpp"
#include "kernels/vector/lane_rows.hpp"
#include "kernels/vector/loops.hpp"
#include "kernels/vector/vectors.hpp"

namespace pymlp {
namespace {

// ---------------------------------------------------------------- products

// A tile: units by vectors of samples, as many sums as keep the multipliers busy.
constexpr int kTileUnits = 4;
constexpr int kTileVectors = kVectorRegisters == 32 ? 4 : 2;

template <class T>
struct LaneTile {
  T* c;
  index_t c_stride;
  Strided<T> a;
  const T* b;
  index_t b_stride;
  index_t k;
  const T* start;  // null: 0
};

template <class T, int units, int vectors>
void product_tile(const LaneTile<T>& of) {
  constexpr int w = kWidth<T>;
  Vector<T, w> sums[units][vectors];
  PYMLP_UNROLL
  for (int u = 0; u < units; ++u) {
    PYMLP_UNROLL
    for (int v = 0; v < vectors; ++v) {
      sums[u][v] = (of.start == nullptr ? T(0) : of.start[u]) - Vector<T, w>{};
    }
  }
  const T* a = of.a.data;
  const T* b = of.b;
  const index_t a_row = of.a.row_stride, a_column = of.a.column_stride, b_stride = of.b_stride;
  for (index_t p = of.k; p > 0; --p) {
    Vector<T, w> row[vectors];
    PYMLP_UNROLL
    for (int v = 0; v < vectors; ++v) row[v] = load<T, w>(b + v * w);
    PYMLP_UNROLL
    for (int u = 0; u < units; ++u) {
      PYMLP_UNROLL
      for (int v = 0; v < vectors; ++v) multiply_add<T, w>(sums[u][v], a[u * a_row], row[v]);
    }
    a += a_column;
    b += b_stride;
  }
  PYMLP_UNROLL
  for (int u = 0; u < units; ++u) {
    PYMLP_UNROLL
    for (int v = 0; v < vectors; ++v) {
      store<T, w>(of.c + u * of.c_stride + v * w, sums[u][v]);
    }
  }
}

template <class T, int vectors>
PYMLP_INLINE void product_of_units(index_t units, const LaneTile<T>& of) {
  switch (units) {
    case 1:
      return product_tile<T, 1, vectors>(of);
    case 2:
      return product_tile<T, 2, vectors>(of);
    case 3:
      return product_tile<T, 3, vectors>(of);
    default:
      return product_tile<T, kTileUnits, vectors>(of);
  }
}

template <class T, int vectors>
PYMLP_INLINE void product_of_columns(index_t n, LaneTile<T> of) {
  for (index_t left = n; left > 0; left -= kTileUnits) {
    product_of_units<T, vectors>(left, of);
    of.c += kTileUnits * of.c_stride;
    of.a.data += kTileUnits * of.a.row_stride;
    if (of.start != nullptr) of.start += kTileUnits;
  }
}

template <class T>
void lane_product(const MatrixView<T>& c, const Strided<T>& a, const ConstMatrixView<T>& b,
                  const T* start) {
  constexpr index_t strip = kTileVectors * kWidth<T>;
  index_t first = 0;
  const auto tile = [&] {
    return LaneTile<T>{c.data + first, c.stride, a, b.data + first, b.stride, b.rows, start};
  };
  for (; first + strip <= c.cols; first += strip) {
    product_of_columns<T, kTileVectors>(c.rows, tile());
  }
  for (; first + 2 * kWidth<T> <= c.cols; first += 2 * kWidth<T>) {
    product_of_columns<T, 2>(c.rows, tile());
  }
  if (first < c.cols) product_of_columns<T, 1>(c.rows, tile());
}

// ---------------------------------------------------------------- sums over samples

// A tile of parameters: inputs by outputs, one vector of lanes of each.
constexpr int kTileInputs = kVectorRegisters == 32 ? 4 : 2;
constexpr int kTileOutputs = 4;

template <class T>
struct SumsTile {
  T* sums;
  index_t sums_stride;  // from one input to the next
  const T* x;
  const T* dz;
  index_t stride;  // of both
  index_t samples;
  bool adds;  // sums += instead of sums =
};

template <class T, int inputs, int outputs>
void sums_tile(const SumsTile<T>& of) {
  constexpr int w = kWidth<T>;
  Vector<T, w> sums[inputs][outputs];
  PYMLP_UNROLL
  for (int i = 0; i < inputs; ++i) {
    PYMLP_UNROLL
    for (int o = 0; o < outputs; ++o) {
      sums[i][o] = of.adds ? load<T, w>(of.sums + i * of.sums_stride + o * kLanes) : Vector<T, w>{};
    }
  }
  const T* x = of.x;
  const T* dz = of.dz;
  const index_t stride = of.stride;
  for (index_t s = 0; s < of.samples; s += kLanes) {
    Vector<T, w> d[outputs];
    PYMLP_UNROLL
    for (int o = 0; o < outputs; ++o) d[o] = load<T, w>(dz + o * stride + s);
    PYMLP_UNROLL
    for (int i = 0; i < inputs; ++i) {
      const Vector<T, w> xi = load<T, w>(x + i * stride + s);
      PYMLP_UNROLL
      for (int o = 0; o < outputs; ++o) sums[i][o] = fused(xi, d[o], sums[i][o]);
    }
  }
  PYMLP_UNROLL
  for (int i = 0; i < inputs; ++i) {
    PYMLP_UNROLL
    for (int o = 0; o < outputs; ++o) {
      store<T, w>(of.sums + i * of.sums_stride + o * kLanes, sums[i][o]);
    }
  }
}

template <class T, int inputs>
PYMLP_INLINE void sums_of_outputs(index_t outputs, const SumsTile<T>& of) {
  switch (outputs) {
    case 1:
      return sums_tile<T, inputs, 1>(of);
    case 2:
      return sums_tile<T, inputs, 2>(of);
    case 3:
      return sums_tile<T, inputs, 3>(of);
    default:
      return sums_tile<T, inputs, kTileOutputs>(of);
  }
}

template <class T>
PYMLP_INLINE void sums_of_inputs(index_t inputs, index_t outputs, const SumsTile<T>& of) {
  if constexpr (kTileInputs > 2) {
    if (inputs == 3) return sums_of_outputs<T, 3>(outputs, of);
    if (inputs > 3) return sums_of_outputs<T, kTileInputs>(outputs, of);
  }
  inputs == 1 ? sums_of_outputs<T, 1>(outputs, of) : sums_of_outputs<T, 2>(outputs, of);
}

template <class T>
PYMLP_INLINE void bias_sums(T* sums, const ConstMatrixView<T>& dz, bool accumulate) {
  constexpr int w = kWidth<T>;
  for (index_t o = 0; o < dz.rows; ++o) {
    for (index_t lane = 0; lane < kLanes; lane += w) {
      T* to = sums + o * kLanes + lane;
      Vector<T, w> sum = accumulate ? load<T, w>(to) : Vector<T, w>{};
      for (index_t s = lane; s < dz.cols; s += kLanes) sum += load<T, w>(dz.row(o) + s);
      store<T, w>(to, sum);
    }
  }
}

template <class T>
void lane_sums(T* sums, const ConstMatrixView<T>& x, const ConstMatrixView<T>& dz, bool biases,
               bool accumulate) {
  for (index_t i = 0; i < x.rows; i += kTileInputs) {
    for (index_t o = 0; o < dz.rows; o += kTileOutputs) {
      for (index_t lane = 0; lane < kLanes; lane += kWidth<T>) {
        sums_of_inputs<T>(x.rows - i, dz.rows - o,
                          {sums + (i * dz.rows + o) * kLanes + lane, dz.rows * kLanes,
                           x.row(i) + lane, dz.row(o) + lane, x.stride, x.cols, accumulate});
      }
    }
  }
  if (biases) bias_sums(sums + x.rows * dz.rows * kLanes, dz, accumulate);
}

// ---------------------------------------------------------------- lanes added in pairs

// In half a vector of AVX-512: the first halves are then added as they are read, and twice as many
// shuffles of half the width are done at a time.
template <class T>
inline constexpr int kFoldWidth = kVectorBytes > 32 ? kWidth<T> / 2 : kWidth<T>;
// Between blocks of 16 bytes lanes are moved once, later only within them.
template <class T>
inline constexpr int kBlockLanes = 16 / static_cast<int>(sizeof(T));

template <class T>
using FoldVector = Vector<T, kFoldWidth<T>>;

// Of two vectors one, half as many lanes of each number: lanes l and l + half of every `segment` of
// lanes are added, in every block of lanes those of a and then those of b.
template <class T, int segment, int... q>
PYMLP_INLINE FoldVector<T> add_halves(const FoldVector<T>& a, const FoldVector<T>& b,
                                      std::integer_sequence<int, q...>) {
  constexpr int half = segment / 2;
  constexpr int block = segment < kBlockLanes<T> ? kBlockLanes<T> : segment;
  constexpr auto lane = [](int to) {
    const int at = to % block, from = at % (block / 2);
    return to / block * block + (at < block / 2 ? 0 : kFoldWidth<T>)+from / half * segment +
           from % half;
  };
  return __builtin_shufflevector(a, b, lane(q)...) +
         __builtin_shufflevector(a, b, (lane(q) + half)...);
}

// numbers[i] = the vectors[i] folded, as many as a vector has lanes. Of two blocks, the first takes
// the first half of the numbers.
template <class T, int count>
PYMLP_INLINE FoldVector<T> fold_vectors(const FoldVector<T> (&vectors)[count]) {
  if constexpr (count == 1) {
    return vectors[0];
  } else {
    constexpr bool of_blocks = count > kBlockLanes<T>;
    FoldVector<T> halves[count / 2];
    PYMLP_UNROLL
    for (int i = 0; i < count / 2; ++i) {
      const int a = of_blocks ? i : 2 * i;
      halves[i] = add_halves<T, count>(vectors[a], vectors[of_blocks ? a + count / 2 : a + 1],
                                       std::make_integer_sequence<int, kFoldWidth<T>>());
    }
    return fold_vectors<T, count / 2>(halves);
  }
}

// 16 lanes become those of one vector.
template <class T>
PYMLP_INLINE FoldVector<T> fold_to_vector(const T* lanes) {
  constexpr int w = kFoldWidth<T>;
  FoldVector<T> parts[kLanes / w];
  PYMLP_UNROLL
  for (int i = 0; i < kLanes / w; ++i) parts[i] = load<T, w>(lanes + i * w);
  PYMLP_UNROLL
  for (int half = kLanes / w / 2; half > 0; half /= 2) {
    PYMLP_UNROLL
    for (int i = 0; i < half; ++i) parts[i] += parts[i + half];
  }
  return parts[0];
}

// As many numbers as a vector has lanes; those behind the last repeat it.
template <class T>
PYMLP_INLINE FoldVector<T> fold_some(const T* lanes, index_t last) {
  FoldVector<T> vectors[kFoldWidth<T>];
  PYMLP_UNROLL
  for (int i = 0; i < kFoldWidth<T>; ++i) {
    vectors[i] = fold_to_vector(lanes + (i < last ? i : last) * kLanes);
  }
  return fold_vectors<T, kFoldWidth<T>>(vectors);
}

template <class T, int... q>
PYMLP_INLINE Vector<T, 2 * kFoldWidth<T>> joined(const FoldVector<T>& a, const FoldVector<T>& b,
                                                 std::integer_sequence<int, q...>) {
  return __builtin_shufflevector(a, b, q...);
}

// Written by the vectors that the update reads, which would wait for two stores.
template <class T>
void fold_lanes(T* numbers, const T* lanes, index_t n) {
  constexpr int w = kFoldWidth<T>;
  constexpr index_t last = w - 1;
  if constexpr (kWidth<T> > w) {
    for (; n >= 2 * w; n -= 2 * w) {
      const FoldVector<T> first = fold_some(lanes, last);
      store<T, 2 * w>(numbers, joined<T>(first, fold_some(lanes + w * kLanes, last),
                                         std::make_integer_sequence<int, 2 * w>()));
      numbers += 2 * w;
      lanes += 2 * w * kLanes;
    }
  }
  for (; n >= w; n -= w) {
    store<T, w>(numbers, fold_some(lanes, last));
    numbers += w;
    lanes += w * kLanes;
  }
  if (n == 0) return;
  const FoldVector<T> folded = fold_some(lanes, n - 1);
  for (index_t i = 0; i < n; ++i) numbers[i] = folded[i];
}

}  // namespace

template <Isa isa, class T>
void add_lanes(Kernels<T>& table) {
  table.to_lanes = to_lanes<T>;
  table.from_lanes = from_lanes<T>;
  table.lane_product = lane_product<T>;
  table.lane_sums = lane_sums<T>;
  table.fold_lanes = fold_lanes<T>;
}

template void add_lanes<Isa::PYMLP_ISA>(Kernels<float>&);
template void add_lanes<Isa::PYMLP_ISA>(Kernels<double>&);

}  // namespace pymlp

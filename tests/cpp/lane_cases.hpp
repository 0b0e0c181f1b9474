// The kernels of narrow networks, whose matrices have a column for each sample.
#pragma once

#include "kernel_numbers.hpp"
#include "kernels/table.hpp"

namespace pymlp::test {

struct LaneSize {
  index_t n_in, n_out, samples, columns;  // whole groups
};

inline constexpr LaneSize kLaneSizes[] = {{1, 1, 1, 16},   {2, 4, 15, 16},    {5, 3, 16, 16},
                                          {4, 10, 17, 32}, {16, 16, 80, 80},  {7, 13, 140, 144},
                                          {16, 5, 47, 48}, {9, 16, 230, 240}, {3, 2, 100, 112}};

template <class T>
struct LaneNumbers {
  LaneNumbers(const LaneSize& size, Kind kind, Random& random)
      : size(size),
        x({size.samples, size.n_in, size.n_in}, kind, random),
        w({size.n_in, size.n_out, size.n_out}, kind, random),
        dz({size.n_out, size.columns, size.columns}, kind, random),
        biases(draw<T>(size.n_out, kind, random)),
        scale(draw<T>(size.columns, Kind::ordinary, random)) {
    for (index_t i = 0; i < size.samples; ++i) rows.push_back(random.below(size.samples));
    for (index_t i = 0; i < size.columns; ++i) {
      labels.push_back(static_cast<std::int32_t>(random.below(size.n_out)));
    }
  }
  Matrix<T> lanes(index_t n) const {
    Random random(1, 0);
    return Matrix<T>({n, size.columns, size.columns}, Kind::ordinary, random);
  }

  LaneSize size;
  Matrix<T> x, w, dz;
  std::vector<T> biases, scale;
  std::vector<index_t> rows;
  std::vector<std::int32_t> labels;
};

// z = x w + b, dx = dz w^T, and the gradient, which begins with the first 16 samples.
template <class T>
Outcome run_lane_products(const Kernels<T>& table, const LaneNumbers<T>& of, bool through_order) {
  const auto [n_in, n_out, samples, columns] = of.size;
  Matrix<T> x = of.lanes(n_in), z = of.lanes(n_out), dx = of.lanes(n_in);
  table.to_lanes(x.view(), of.x.view(), through_order ? of.rows.data() : nullptr, 0, samples);
  table.lane_product(z.view(), {of.w.numbers().data(), 1, n_out}, x.view(), of.biases.data());
  table.lane_product(dx.view(), as_it_is<T>(of.w.view()), of.dz.view(), nullptr);
  const index_t parameters = (n_in + 1) * n_out;
  std::vector<T> sums(static_cast<std::size_t>(16 * parameters));
  std::vector<T> gradient(static_cast<std::size_t>(parameters));
  const auto part = [&](const Matrix<T>& m, index_t first, index_t count) {
    return ConstMatrixView<T>(m.view().data + first, m.view().rows, count, m.view().stride);
  };
  table.lane_sums(sums.data(), part(x, 0, 16), part(of.dz, 0, 16), true, false);
  if (columns > 16) {
    table.lane_sums(sums.data(), part(x, 16, columns - 16), part(of.dz, 16, columns - 16), true,
                    true);
  }
  table.fold_lanes(gradient.data(), sums.data(), parameters);
  std::vector<T> rows(static_cast<std::size_t>(samples * n_out));
  table.from_lanes({rows.data(), samples, n_out, n_out}, z.view());
  Outcome outcome;
  for (const Matrix<T>* m : {&x, &z, &dx}) outcome.add(m->numbers());
  outcome.add(gradient);
  outcome.add(rows);
  return outcome;
}

template <class T>
Outcome run_lane_activation(const Kernels<T>& table, const LaneNumbers<T>& of,
                            const Activation& g) {
  const Matrix<T>& z = of.dz;
  Matrix<T> a = z, dz = of.lanes(of.size.n_out);
  table.lane_activation(a.view(), a.view(), g);
  table.lane_activation_backward(dz.view(), dz.view(), z.view(), a.view(), g);
  Outcome outcome;
  outcome.add(a.numbers());
  outcome.add(dz.numbers());
  return outcome;
}

template <class T>
Outcome run_lane_loss(const Kernels<T>& table, const LaneNumbers<T>& of, const Loss& loss,
                      bool from_logits, bool labels) {
  std::vector<T> losses(of.scale.size());
  Matrix<T> gradient = of.dz;
  const Matrix<T> values = of.lanes(of.size.n_out);
  const Targets<T> targets{labels ? of.labels.data() : nullptr, values.view()};
  table.lane_loss(losses.data(), gradient.view(), of.dz.view(), targets, of.scale.data(), loss,
                  from_logits);
  Outcome outcome;
  outcome.add(losses);
  outcome.add(gradient.numbers());
  return outcome;
}

template <class T, class Visit>
void visit_lane_losses(const Visit& visit, const LaneNumbers<T>& of) {
  for (const LossTraits& traits : kLosses) {
    if (traits.kind == LossKind::custom) continue;
    for (const bool labels : {false, true}) {
      for (const double smoothing : {0.0, 0.1}) {
        for (const bool from_logits : {false, true}) {
          const Loss loss{traits.kind, kLossParameters, smoothing};
          if (from_logits && !has_logit_form(loss)) continue;
          visit(std::string(traits.name), [&](const Kernels<T>& table) {
            return run_lane_loss<T>(table, of, loss, from_logits, labels);
          });
        }
      }
    }
  }
}

template <class T, class Visit>
void visit_lanes(const Visit& visit) {
  Random random(9, 0);
  for (const Kind kind : kKinds) {
    for (const LaneSize& size : kLaneSizes) {
      const LaneNumbers<T> of(size, kind, random);
      for (const bool through_order : {false, true}) {
        visit("lane products", [&](const Kernels<T>& table) {
          return run_lane_products<T>(table, of, through_order);
        });
      }
      for (const ActivationTraits& traits : kActivations) {
        if (traits.kind == ActivationKind::custom) continue;
        visit(std::string(traits.name), [&](const Kernels<T>& table) {
          return run_lane_activation<T>(table, of, {traits.kind, {0.3, 0.1}});
        });
      }
      visit_lane_losses<T>(visit, of);
    }
  }
}

}  // namespace pymlp::test

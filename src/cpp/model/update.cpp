// The second half of a step: from the losses of a batch to new parameters.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <numeric>

#include "kernels/table.hpp"
#include "model/step.hpp"
#include "ops/table.hpp"

namespace pymlp {

namespace {

// Before a parameter is written, all cores that have read its line must give it up. Stores between
// those of an optimiser's states would wait for that one by one; in a row they wait together.
template <class T>
void take_lines(T* numbers, index_t count) {
  constexpr index_t line = 64 / sizeof(T);
  volatile T* const lines = numbers;
  for (index_t i = 0; i < count; i += line) lines[i] = lines[i];
}

// An update of parameters that other threads have read, as many at a time as stay in the nearest
// cache.
template <class T>
void update_shared(Optimizer<T>& optimizer, T* parameters, const T* gradient, const Range& range) {
  constexpr index_t kAtATime = 4096;
  for (index_t first = range.first; first < range.end(); first += kAtATime) {
    const index_t count = std::min(kAtATime, range.end() - first);
    take_lines(parameters + first, count);
    optimizer.update(parameters, gradient, first, count);
  }
}

// An arena of which only the part from number `first` on exists.
template <class T>
T* arena_of(T* part, index_t first) {
  const auto bytes = static_cast<std::uintptr_t>(first * static_cast<index_t>(sizeof(T)));
  return reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(part) - bytes);
}

}  // namespace

template <class T>
StepResult Step<T>::update(const Pass<T>& pass, const Learner<T>& learner) {
  const Regularization& options = learner.regularization;
  const RowCuts& cuts = cuts_of(pass.batch);
  const auto run = [&] { return run_segments(pass, cuts); };
  // Packed weights are not refreshed here: they are of the parameters before, which are put back.
  StepResult result{plan_.calls_user_functions()
                        ? write_guard_.watch(learner.network, pass.interrupt, run)
                        : run(),
                    false};
  BatchLoss& loss = result.loss;
  if (came(pass.interrupt) || !std::isfinite(loss.sum)) return result;
  // The norm is known only when every stretch's gradient is. A step that takes long is done this
  // way too, so that it can be interrupted before anything is written.
  const bool whole = options.clip_norm > 0.0 || pass.update_last || plan_.takes_long(cuts.rows);
  Clipping clipping{1.0, options.clip_value};
  if (whole) {
    const auto finish = [&](std::size_t number, const Stretch& stretch, const ArenaRanges&,
                            index_t) {
      if (!requested(pass.interrupt)) finish_gradient(pass, cuts, options, number, stretch);
    };
    // A penalty is summed by stretches.
    const index_t parts =
        options.has_penalty() ? 1 : plan_.parts_of_stretches(cuts.threads_for_stretches);
    for_parts_of_stretches(cuts, parts, finish);
    if (came(pass.interrupt)) return result;
    loss.penalty = penalty_of(loss, options);
    if (!std::isfinite(loss.penalty)) return result;
    clipping.norm_scale = clipped_share(
        gradient_norm(plan_, pass.gradient, std::span(squares_), cuts.threads_for_stretches),
        options);
  }
  result.updated = write(pass, cuts, learner, clipping, !whole);
  loss.penalty = penalty_of(loss, options);
  return result;
}

// The gradient of a stretch and of its penalties.
template <class T>
void Step<T>::finish_gradient(const Pass<T>& pass, const RowCuts& cuts,
                              const Regularization& options, std::size_t number,
                              const Stretch& stretch) {
  collect_last(pass, cuts, stretch);
  if (!options.has_penalty()) return;
  penalties_[number] = penalize(program_, stretch, options, pass.parameters, pass.gradient);
}

template <class T>
double Step<T>::penalty_of(const BatchLoss& loss, const Regularization& options) const {
  if (!options.has_penalty()) return 0.0;
  return loss.weight * std::accumulate(penalties_.begin(), penalties_.end(), 0.0);
}

template <class T>
void Step<T>::update_states(const Pass<T>& pass, const RowCuts& cuts, T* arena) {
  const Block<T> batch = batch_of(pass, cuts);
  for (const Operation& op : program_.operations()) {
    if (traits_of(op).joins(op)) functions_of<T>(op).update_states(op, batch, arena);
  }
}

// Finite parameters do not tell: by an infinite variance all inputs are 0.
template <class T>
bool Step<T>::statistics_are_finite(const Pass<T>& pass, const RowCuts& cuts) {
  const Block<T> batch = batch_of(pass, cuts);
  return std::ranges::all_of(program_.operations(), [&](const Operation& op) {
    return !traits_of(op).joins(op) ||
           kernels<T>().all_finite(batch.batch_sums_of(op), traits_of(op).sums_of_a_batch(op));
  });
}

// Where the gradient of a stretch goes that is updated at once, while it is still in the cache:
// where that is all of it, nobody wants it later, and it need not leave the cache.
template <class T>
T* Step<T>::gradient_of(const Pass<T>& pass, const RowCuts& cuts, const ArenaRanges& ranges,
                        index_t worker) {
  if (!cuts.sums_at_once() || ranges.count != 1) return pass.gradient;
  const auto [first, count] = *ranges.begin();
  T* const part = memory_.gradient_to_update(worker, count);
  return part != nullptr ? arena_of(part, first) : pass.gradient;
}

// The only place where a step writes parameters. False where they had to be put back.
template <class T>
bool Step<T>::write(Pass<T> pass, const RowCuts& cuts, const Learner<T>& learner,
                    const Clipping& clipping, bool gradients_too) {
  pass.interrupt = nullptr;  // not under the lock
  auto& [network, optimizer, options, undo, point] = learner;
  T* const parameters = point != nullptr ? point->updated() : network.parameters();
  const bool limits = options.max_norm > 0.0;
  const bool shared = cuts.threads_for_stretches > 1 && optimizer.state().size() > 0;
  std::atomic<bool> finite{true};
  if (undo != nullptr) undo->begin(program_.n_parameters(), optimizer);
  const std::unique_lock lock(network.access().mutex());
  optimizer.begin_step(clipping);
  const auto update = [&](const Range& range, const T* gradient) {
    if (undo != nullptr) undo->keep(parameters, optimizer, range);
    if (shared) {
      update_shared(optimizer, parameters, gradient, range);
    } else {
      optimizer.update(parameters, gradient, range.first, range.count);
    }
    if (point != nullptr && !limits) point->follow(optimizer, range);
    if (undo != nullptr && !kernels<T>().all_finite(parameters + range.first, range.count)) {
      finite.store(false, std::memory_order_relaxed);
    }
  };
  const auto finish = [&](std::size_t number, const Stretch& stretch, const ArenaRanges& ranges,
                          index_t worker) {
    Pass<T> own = pass;
    if (gradients_too) {
      own.gradient = gradient_of(pass, cuts, ranges, worker);
      finish_gradient(own, cuts, options, number, stretch);
    }
    if (cuts.lanes) return;
    for (const Range& range : ranges) update(range, own.gradient);
    packed_->refresh(pass.parameters, stretch);
  };
  const bool sums = gradients_too && options.has_penalty();
  // Of one block in lanes, the gradient is whole, and what follows is one call for all stretches.
  if (!cuts.lanes || sums || cuts.blocks > 1) {
    for_parts_of_stretches(cuts, sums ? 1 : plan_.parts_of_updates(cuts), finish);
  }
  if (cuts.lanes) {  // so few that they are in the cache anyway
    for (const Range& range : plan_.trained()) update(range, pass.gradient);
    parameters_changed();
  }
  if (undo != nullptr && plan_.joins() && !statistics_are_finite(pass, cuts)) finite = false;
  if (!finite.load(std::memory_order_relaxed)) {
    undo->restore(parameters, optimizer);
    parameters_changed();
    return false;
  }
  if (plan_.joins()) {
    update_states(pass, cuts, parameters);
    if (point != nullptr) point->follow_states();
  }
  if (limits) {
    limit_norms(program_, options, parameters, memory_.norms.data());
    if (point != nullptr) point->follow(optimizer);
    parameters_changed();
  }
  if (point != nullptr) point->end_step();
  return true;
}

template StepResult Step<float>::update(const Pass<float>&, const Learner<float>&);
template StepResult Step<double>::update(const Pass<double>&, const Learner<double>&);

}  // namespace pymlp

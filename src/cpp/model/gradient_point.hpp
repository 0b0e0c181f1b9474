// GradientPoint: the parameters that the steps of a training read, where the network shows others.
//
// average d      The optimiser moves w, which only the steps see. The network has the average e:
//                after every step e <- d e + (1 - d) w; after the first e = w. So have states:
//                the running statistics of w are not those of a network with e.
// schedule-free  The optimiser moves the network's parameters x, which are averages. The steps read
//                y, which follows from x and from the optimiser's state.
// neither        The steps read the network's parameters.
#pragma once

#include <span>

#include "base/range.hpp"
#include "model/network.hpp"
#include "model/optimizer.hpp"

namespace pymlp {

template <class T>
class GradientPoint {
 public:
  // Both must outlive this. The program is the network's, perhaps with layers that stand still:
  // they are at the network's parameters. `average` is 0 for none.
  GradientPoint(Network<T>& network, const Program& program, double average = 0.0);

  // What steps read, and of these and the network's what the optimiser writes, and states.
  T* parameters() { return own_.size() > 0 ? own_.data() : network_.parameters(); }
  T* updated() { return average_ > 0.0 ? own_.data() : network_.parameters(); }

  // Steps of one training, as a scope: what was written to the network between two of them is what
  // the next step begins with.
  class Steps {
   public:
    Steps(GradientPoint& point, const Optimizer<T>& optimizer) : point_(point) {
      point.enter(optimizer);
    }
    ~Steps() { point_.leave(); }
    Steps(const Steps&) = delete;
    Steps& operator=(const Steps&) = delete;

   private:
    GradientPoint& point_;
  };
  // Takes the memory that steps of this optimiser need.
  void reserve(const Optimizer<T>& optimizer);

  // In a step: the rest follows what the optimiser wrote. For disjoint ranges, from several
  // threads, until every range had its turn.
  void follow(const Optimizer<T>& optimizer, Range range);
  // The same for all that do not stand still.
  void follow(const Optimizer<T>& optimizer);
  // The same of all states, once those of `updated` were written.
  void follow_states();
  void end_step() { share_ = static_cast<T>(1.0 - average_); }

  // Between two scopes: w and its states, which the next step begins with; empty where there is no
  // average.
  Buffer<T> averaged() const;
  // Goes on from them, once the network has the average of the steps before.
  void go_on(std::span<const T> averaged);
  // In a scope: the same as they stand.
  const Buffer<T>& own() const { return own_; }

 private:
  void enter(const Optimizer<T>& optimizer);
  void leave();
  void take_written(Buffer<T>& own) const;
  void average(Range range);

  Network<T>& network_;
  const Program& program_;
  double average_;
  T share_ = T(1);  // of w in the average after the next step
  Buffer<T> own_;   // w or y, and states; empty where the steps read the network's
  Buffer<T> left_;  // the average as the last scope left it, of states too
};

}  // namespace pymlp

// Trainings of several networks beside each other: each worker takes steps of one training at a
// time, or all workers share the steps of one, whichever keeps more of them busy. They take turns,
// the least advanced first, so all come about equally far in any time. What each learns does not
// depend on the others, nor on who takes its steps when.
#pragma once

#include <span>

#include "model/trainer.hpp"

namespace pymlp {

// Until each training's status changes, it has done `epochs` more epochs or lacks a scheduled
// value, or `seconds` have gone by; on the thread that began the trainings. Networks, optimisers
// and records are of one training each.
template <class T>
void train_together(std::span<Trainer<T>* const> trainers, index_t epochs, double seconds,
                    int threads, Interrupt& interrupt);

}  // namespace pymlp

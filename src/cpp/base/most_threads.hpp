// How many threads a call is worth on this machine, however many it is given.
#pragma once

namespace pymlp {

// Four for each processor that the process could use when it was first asked: more would only wake
// one another up, and cut batches too fine.
int most_threads();

}  // namespace pymlp

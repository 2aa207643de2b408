// Loops over independent tasks on the calling thread's OpenMP threads.
#pragma once

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sagetrain {

// body(task) for every task in 0..tasks, one at a time to whichever thread is free. The body must not throw, and what it computes for a
// task must not depend on the thread: then nothing depends on the number of threads.
template <typename Body> void parallel(int64_t tasks, const Body &body) {
  int threads = static_cast<int>(std::min<int64_t>(at::get_num_threads(), tasks));
  if (threads <= 1 || omp_in_parallel()) {
    for (int64_t task = 0; task < tasks; task++) body(task);
    return;
  }
  std::atomic<int64_t> next{0};
#pragma omp parallel num_threads(threads)
  for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) body(task);
}

// body(begin, end) over 0..count in blocks of `grain`.
template <typename Body> void parallel_blocks(int64_t count, int64_t grain, const Body &body) {
  parallel((count + grain - 1) / grain, [&](int64_t block) { body(block * grain, std::min(count, (block + 1) * grain)); });
}

} // namespace sagetrain

// Loops over independent tasks on the calling thread's OpenMP threads.
#pragma once

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>

namespace sagetrain {

// body(task) for every task in 0..tasks, one at a time to whichever thread is free. What it computes for a task must not depend on the
// thread: then nothing depends on the number of threads. Of what bodies throw, such as std::bad_alloc, the first is thrown on here.
template <typename Body> void parallel(int64_t tasks, const Body &body) {
  int threads = static_cast<int>(std::min<int64_t>(at::get_num_threads(), tasks));
  if (threads <= 1 || omp_in_parallel()) {
    for (int64_t task = 0; task < tasks; task++) body(task);
    return;
  }
  std::atomic<int64_t> next{0};
  std::exception_ptr thrown;
#pragma omp parallel num_threads(threads)
  try {
    for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) body(task);
  } catch (...) {
    next = tasks;
#pragma omp critical(sagetrain_thrown)
    if (!thrown) thrown = std::current_exception();
  }
  if (thrown) std::rethrow_exception(thrown);
}

// body(begin, end) over 0..count in blocks of `grain`.
template <typename Body> void parallel_blocks(int64_t count, int64_t grain, const Body &body) {
  parallel((count + grain - 1) / grain, [&](int64_t block) { body(block * grain, std::min(count, (block + 1) * grain)); });
}

} // namespace sagetrain

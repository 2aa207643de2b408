// Lends OpenMP's threads to code that has none of its own.
#include "guard.h"
#include "parallel.h"

// body(context, task) must not unwind.
SAGETRAIN_EXPORT sagetrain_status sagetrain_parallel(int64_t tasks, void (*body)(const void *context, int64_t task), const void *context) {
  return sagetrain::guard([&] { sagetrain::parallel(tasks, [&](int64_t task) { body(context, task); }); });
}

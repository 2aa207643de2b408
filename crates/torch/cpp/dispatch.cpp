// Chooses the kernels for this processor.
#include <cstdlib>
#include <cstring>

#include "kernels.h"

namespace sagetrain {

namespace {

const Kernels &best() {
  const char *limit = std::getenv("SAGETRAIN_CPU");
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl");
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  int level = avx512 ? (__builtin_cpu_supports("avx512bf16") ? 3 : 2) : avx2 ? 1 : 0;
  const Kernels *sets[] = {&kernels_baseline, &kernels_avx2, &kernels_avx512, &kernels_avx512_bf16};
  for (int i = 0; limit && i < level; i++)
    if (std::strcmp(limit, sets[i]->name) == 0) level = i;
  return *sets[level];
}

} // namespace

const Kernels &kernels() {
  static const Kernels &chosen = best();
  return chosen;
}

} // namespace sagetrain

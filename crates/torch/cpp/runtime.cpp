// Versions, build configuration, threads and memory of the process.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/Context.h>
#include <torch/version.h>

#include <cstdio>
#include <string>

#include "guard.h"
#include "kernels.h"

namespace {

uint64_t peak_resident_bytes() {
  std::FILE *file = std::fopen("/proc/self/status", "r");
  if (!file) return 0;
  char line[256];
  unsigned long long kibibytes = 0;
  while (std::fgets(line, sizeof line, file))
    if (std::sscanf(line, "VmHWM: %llu kB", &kibibytes) == 1) break;
  std::fclose(file);
  return kibibytes * 1024;
}

bool has_bfloat16_products() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") || __builtin_cpu_supports("amx-bf16");
#else
  return false;
#endif
}

} // namespace

SAGETRAIN_EXPORT void sagetrain_status_free(sagetrain_status *status) {
  std::free(status->message);
  status->message = nullptr;
}

SAGETRAIN_EXPORT sagetrain_status sagetrain_runtime(sagetrain_runtime_info *info) {
  return sagetrain::guard([&] {
    static const std::string config = at::show_config();
    static const std::string capability = at::get_cpu_capability();
    thread_local std::string parallel;
    parallel = at::get_parallel_info();
    info->libtorch_version = TORCH_VERSION;
    info->build_config = config.c_str();
    info->parallel_info = parallel.c_str();
    info->cpu_capability = capability.c_str();
    info->kernels = sagetrain::kernels().name;
    info->has_bfloat16 = has_bfloat16_products();
#ifdef _OPENMP
    info->has_openmp = 1;
#else
    info->has_openmp = 0;
#endif
    info->threads = at::get_num_threads();
    info->cuda_devices = at::hasCUDA() ? static_cast<int32_t>(at::detail::getCUDAHooks().deviceCount()) : 0;
    info->peak_resident_bytes = peak_resident_bytes();
  });
}

SAGETRAIN_EXPORT sagetrain_status sagetrain_set_threads(int32_t threads) {
  return sagetrain::guard([&] {
    TORCH_CHECK(threads > 0, "threads must be positive, got ", threads);
    // A thread's first parallel loop takes over the number that any thread set last. Both copies of that first time (libtorch's
    // and this library's, its header being inline) must lie behind us, or a neighbour's setting would replace ours.
    at::get_num_threads();
    at::internal::lazy_init_num_threads();
    at::set_num_threads(threads);
  });
}

SAGETRAIN_EXPORT sagetrain_status sagetrain_threads(int32_t *threads) {
  return sagetrain::guard([&] { *threads = at::get_num_threads(); });
}

/* What libtorch says about itself, for C callers (bindings/cpp). No torch header is needed to include this one.
 * Nothing here throws; strings belong to the library and stay valid until the process ends unless said otherwise. */
#ifndef SAGETRAIN_TORCH_H
#define SAGETRAIN_TORCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* code 0: fine. Otherwise `message` is a malloc'ed, NUL-terminated text to hand to sagetrain_status_free. */
typedef struct {
  int32_t code;
  char *message;
} sagetrain_status;

enum {
  SAGETRAIN_OK = 0,
  SAGETRAIN_TORCH = 1,     /* a c10::Error: message without its backtrace */
  SAGETRAIN_EXCEPTION = 2, /* any other std::exception */
  SAGETRAIN_UNKNOWN = 3,   /* something thrown that is no exception */
};

void sagetrain_status_free(sagetrain_status *status);

typedef struct {
  const char *libtorch_version; /* e.g. "2.13.0" */
  const char *build_config;     /* at::show_config() */
  const char *parallel_info;    /* at::get_parallel_info() of the calling thread; valid until its next call here */
  const char *cpu_capability;   /* libtorch's: "AVX512", "AVX2", "DEFAULT" */
  const char *kernels;          /* this library's: "avx512_bf16", "avx512", "avx2", "baseline" */
  int32_t has_bfloat16;         /* 1 when oneDNN has fast bfloat16 products on this processor */
  int32_t has_openmp;           /* 1 when this library was compiled with OpenMP, so that its loops are parallel */
  int32_t threads;              /* intra-op threads of the calling thread */
  int32_t cuda_devices;         /* 0 without libtorch_cuda or a GPU */
  uint64_t peak_resident_bytes; /* VmHWM of the process */
} sagetrain_runtime_info;

sagetrain_status sagetrain_runtime(sagetrain_runtime_info *info);

/* Intra-op threads of the calling thread: OpenMP's setting is per thread, so sessions side by side do not disturb one another. */
sagetrain_status sagetrain_set_threads(int32_t threads);
sagetrain_status sagetrain_threads(int32_t *threads);

/* From here on CPU tensors take large blocks from a cache, in the whole process; may be called again. */
sagetrain_status sagetrain_cache_memory(void);

/* Returns the blocks that the cache keeps and nothing uses to the system. */
sagetrain_status sagetrain_release_memory(void);

#ifdef __cplusplus
}
#endif

#endif

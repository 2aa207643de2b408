// The kernels for AVX-512 with bfloat16 dot products.
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels.h"

// After the system headers, so that none of their functions is compiled for a processor that may not be there.
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c")
#define SAGETRAIN_ISA avx512_bf16
#define SAGETRAIN_WIDTH 16
#define SAGETRAIN_HAS_BF16 1
#include "kernels/all.h"

// The kernels for AVX-512.
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels.h"

// After the system headers, so that none of their functions is compiled for a processor that may not be there.
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
#define SAGETRAIN_ISA avx512
#define SAGETRAIN_WIDTH 16
#define SAGETRAIN_HAS_BF16 0
#include "kernels/all.h"

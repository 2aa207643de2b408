// The kernels for any x86-64 processor.
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels.h"

#define SAGETRAIN_ISA baseline
#define SAGETRAIN_WIDTH 4
#define SAGETRAIN_HAS_BF16 0
#include "kernels/all.h"

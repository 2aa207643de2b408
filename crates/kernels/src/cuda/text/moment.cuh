// The first moment's moving average, as moment.rs has it: from the nearer end, so that a weight of 1 gives the value itself.
#pragma once
#include "float.cuh"

namespace sagetrain {

template <class F> __device__ __forceinline__ F toward(F weight, bool from_value, F average, F value) {
    return mul_add(weight, value - average, from_value ? value : average);
}

} // namespace sagetrain

// The numbers a rule is generic over, as float.rs has them.
//
// Sums, products, quotients and roots are written with operators. The text is compiled with -fmad=false, -prec-div=true, -prec-sqrt=true and
// without -ftz (nvrtc.rs), as C++ with -ffp-contract=off, so each is rounded once to nearest and nothing is fused but by
// `mul_add`. The test of the PTX looks for `.rn` on every one.
#pragma once

namespace sagetrain {

using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;

// factor × value + addend, rounded once.
__device__ __forceinline__ float mul_add(float factor, float value, float addend) {
    return __fmaf_rn(factor, value, addend);
}
__device__ __forceinline__ double mul_add(double factor, double value, double addend) {
    return __fma_rn(factor, value, addend);
}

__device__ __forceinline__ float root(float value) { return __fsqrt_rn(value); }
__device__ __forceinline__ double root(double value) { return __dsqrt_rn(value); }

__device__ __forceinline__ float absolute(float value) { return fabsf(value); }
__device__ __forceinline__ double absolute(double value) { return fabs(value); }

// The larger; NaN when either is.
template <class F> __device__ __forceinline__ F maximum(F one, F other) {
    return one > other || one != one ? one : other;
}

// Neither NaN nor infinite.
__device__ __forceinline__ bool is_finite(float value) {
    return (__float_as_uint(value) & 0x7f800000u) != 0x7f800000u;
}

} // namespace sagetrain

// The types a parameter may be stored in, as stored.rs has them: the same integer arithmetic, so that no header of CUDA's is needed.
#pragma once
#include "float.cuh"

namespace sagetrain {

struct Bfloat16 {
    u16 bits;
};
struct Float16 {
    u16 bits;
};

template <class S> struct ComputeOf {
    using Type = float;
};
template <> struct ComputeOf<double> {
    using Type = double;
};

__device__ __forceinline__ float widen(float value) { return value; }
__device__ __forceinline__ double widen(double value) { return value; }
__device__ __forceinline__ float widen(Bfloat16 value) { return __uint_as_float((u32)value.bits << 16); }

// 2^-14, the least float16 of full precision, as float32 bits.
constexpr u32 F16_NORMAL = 113u << 23;

__device__ __forceinline__ float widen(Float16 value) {
    u32 bits = value.bits;
    u32 sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7fffu;
    u32 shifted = magnitude << 13;
    u32 normal = shifted + (112u << 23), infinite = shifted + (224u << 23);
    // A subnormal's bits count units of 2^-24: beside 2^-14 they are the significand, and 2^-14 goes off again.
    u32 subnormal = __float_as_uint(__uint_as_float(shifted + F16_NORMAL) - __uint_as_float(F16_NORMAL));
    u32 wide = magnitude >= 0x7c00u ? infinite : normal;
    return __uint_as_float(sign | (magnitude < 0x0400u ? subnormal : wide));
}

__device__ __forceinline__ void narrow(float value, float& to) { to = value; }
__device__ __forceinline__ void narrow(double value, double& to) { to = value; }

// To nearest, ties to even: half a unit less one, and one more where the last bit kept is odd.
__device__ __forceinline__ void narrow(float value, Bfloat16& to) {
    u32 bits = __float_as_uint(value);
    u16 nearest = (u16)((bits + (0x7fffu + (bits >> 16 & 1u))) >> 16);
    to.bits = value != value ? (u16)0x7fc0 : nearest;
}

__device__ __forceinline__ void narrow(float value, Float16& to) {
    u32 sign = __float_as_uint(value) >> 16 & 0x8000u, magnitude = __float_as_uint(value) & 0x7fffffffu;
    u32 normal = (magnitude - (112u << 23) + (0x0fffu + (magnitude >> 13 & 1u))) >> 13 & 0xffffu;
    // Beside 0.5 a unit in the last place is 2^-24, float16's least: the sum rounds to it.
    u32 subnormal = (__float_as_uint(__uint_as_float(magnitude) + 0.5f) - 0x3f000000u) & 0xffffu;
    u32 finite = magnitude < F16_NORMAL ? subnormal : normal;
    u32 bits = magnitude >= 143u << 23 ? 0x7c00u : finite;
    to.bits = (u16)(value != value ? 0x7e00u : sign | bits);
}

// One of the two neighbours, the nearer the likelier.
__device__ __forceinline__ void narrow_by(float value, u32 noise, Bfloat16& to) {
    if (is_finite(value)) {
        to.bits = (u16)((__float_as_uint(value) + noise) >> 16);
    } else {
        narrow(value, to);
    }
}

__device__ __forceinline__ bool same(Bfloat16 one, Bfloat16 other) { return one.bits == other.bits; }
__device__ __forceinline__ bool same(Float16 one, Float16 other) { return one.bits == other.bits; }

} // namespace sagetrain

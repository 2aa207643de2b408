// How a stored parameter is opened to be computed with, and closed again, as precision.rs has it.
#pragma once
#include "noise.cuh"
#include "stored.cuh"

namespace sagetrain {

// What a stored parameter stands for: `fine`, unless somebody has written to the parameter since that was rounded to it.
template <class S> __device__ __forceinline__ float current(S stored, float fine) {
    S rounded;
    narrow(fine, rounded);
    return same(rounded, stored) ? fine : widen(stored);
}

// What rounding to `stored` left of `from`. Where that rounds to half a unit of the parameter, and both together to its neighbour,
// it is a little less: `current` would take it for a parameter that somebody has written to.
template <class S> __device__ __forceinline__ void left(float from, S stored, S& compensation) {
    constexpr float LESS = 1.0f - 1.0f / 256.0f; // a unit of bfloat16 less
    float rest = from - widen(stored);
    S nearest, together;
    narrow(rest, nearest);
    narrow(widen(stored) + widen(nearest), together);
    if (same(together, stored)) {
        compensation = nearest;
    } else {
        narrow(rest * LESS, compensation);
    }
}

// Computed with as it is: float32 and float64.
template <class S> struct Plain {
    using Stored = S;
    using Fine = S;
    static constexpr bool HAS_FINE = false, DRAWS = false;
    __device__ static __forceinline__ S open(S stored, S) { return stored; }
    __device__ static __forceinline__ void close(S theta, u32, S& stored, S&) { stored = theta; }
};

// With master weights, rounded to nearest.
template <class S> struct Master {
    using Stored = S;
    using Fine = float;
    static constexpr bool HAS_FINE = true, DRAWS = false;
    __device__ static __forceinline__ float open(S stored, float master) { return current(stored, master); }
    __device__ static __forceinline__ void close(float theta, u32, S& stored, float& master) {
        master = theta;
        narrow(theta, stored);
    }
};

// Rounded to either neighbour, at the odds of the distances.
template <class S> struct Stochastic {
    using Stored = S;
    using Fine = S;
    static constexpr bool HAS_FINE = false, DRAWS = true;
    __device__ static __forceinline__ float open(S stored, S) { return widen(stored); }
    __device__ static __forceinline__ void close(float theta, u32 noise, S& stored, S&) { narrow_by(theta, noise, stored); }
};

// With Kahan's compensation.
template <class S> struct Kahan {
    using Stored = S;
    using Fine = S;
    static constexpr bool HAS_FINE = true, DRAWS = false;
    __device__ static __forceinline__ float open(S stored, S compensation) {
        return current(stored, widen(stored) + widen(compensation));
    }
    __device__ static __forceinline__ void close(float theta, u32, S& stored, S& compensation) {
        narrow(theta, stored);
        left(theta, stored, compensation);
    }
};

} // namespace sagetrain

// Sensitivity, its moving average, and the modulations of the learning rate, as sage.rs has them.
#pragma once
#include "layout.cuh"

namespace sagetrain {

// What `Constants::sensing` says; 0 is for kernels that keep no E.
constexpr u32 WATCH = 1, SAGE = 2, ABLATION = 3, RELEASED = 4;

// I = |θ g|, held at half the largest number.
template <class F> __device__ __forceinline__ F sensitivity(const Constants<F>& of, F theta, F gradient) {
    F product = absolute(theta * gradient);
    return product < of.ceiling ? product : of.ceiling;
}

// E ← β0 E + (1 − β0) I
template <class F> __device__ __forceinline__ F averaged(const Constants<F>& of, F sensitivity, F average) {
    return mul_add(of.weight, sensitivity, of.beta0 * average);
}

// c U
template <class F> __device__ __forceinline__ F scaled_variation(const Constants<F>& of, F sensitivity, F average) {
    return absolute(of.correction * sensitivity - average);
}

// (U + ε) / (Î + ε)
template <class F> __device__ __forceinline__ F sage_rate(const Constants<F>& of, F sensitivity, F average) {
    return (scaled_variation(of, sensitivity, average) + of.scaled_epsilon) / (average + of.scaled_epsilon);
}

// U / (Î + ε)
template <class F> __device__ __forceinline__ F released_rate(const Constants<F>& of, F sensitivity, F average) {
    return scaled_variation(of, sensitivity, average) / (average + of.scaled_epsilon);
}

// r = a b / d, each a row of zeros and ones around u = U + ε and i = Î + ε.
template <class F> __device__ __forceinline__ F ablation_rate(const Constants<F>& of, F sensitivity, F average) {
    F corrected = average / of.correction;
    F u = absolute(sensitivity - corrected) + of.sage_epsilon;
    F i = corrected + of.sage_epsilon;
    F a = mul_add(of.variation[1], u, of.variation[0]);
    F b = mul_add(of.average[1], i, of.average[0]);
    F d = mul_add(of.divisor[2], u, mul_add(of.divisor[1], i, of.divisor[0]));
    return a * b / d;
}

// The new E and the r of `WIDTH` elements; the branches are uniform, and taken once for all of them.
template <int WIDTH, class F>
__device__ __forceinline__ void sense(const Constants<F>& of, const F (&theta)[WIDTH], const F (&gradient)[WIDTH], F (&average)[WIDTH],
                                      F (&rate)[WIDTH]) {
    F seen[WIDTH];
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) {
        seen[i] = sensitivity(of, theta[i], gradient[i]);
        average[i] = averaged(of, seen[i], average[i]);
    }
    if (of.sensing == SAGE) {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) rate[i] = sage_rate(of, seen[i], average[i]);
    } else if (of.sensing == ABLATION) {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) rate[i] = ablation_rate(of, seen[i], average[i]);
    } else if (of.sensing == RELEASED) {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) rate[i] = released_rate(of, seen[i], average[i]);
    }
}

} // namespace sagetrain

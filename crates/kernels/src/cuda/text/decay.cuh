// Where weight decay enters, as decay.rs has it.
#pragma once
#include "layout.cuh"

namespace sagetrain {

// What `Constants::decay` says; of a released rule it says OWN, and is not looked at.
constexpr u32 COUPLED = 0, DECOUPLED = 1, MODULATED = 2;

// A rule whose decay is apart from its update of an element.
template <class Element> struct Decaying {
    using Float = typename Element::Float;
    __device__ static __forceinline__ u32 states(const Constants<Float>& of) { return Element::states(of); }

    template <int WIDTH>
    __device__ static __forceinline__ void update(const Constants<Float>& of, Float (&theta)[WIDTH], Float (&gradient)[WIDTH],
                                                  const Float (&rate)[WIDTH], Float (&first)[WIDTH], Float (&second)[WIDTH]) {
        decay(of, theta, gradient, rate);
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) Element::element(of, theta[i], gradient[i], rate[i], first[i], second[i]);
    }

    // The branch is uniform, and taken once for all elements.
    template <int WIDTH>
    __device__ static __forceinline__ void decay(const Constants<Float>& of, Float (&theta)[WIDTH], Float (&gradient)[WIDTH],
                                                 const Float (&rate)[WIDTH]) {
        if (of.decay == COUPLED) {
#pragma unroll
            for (int i = 0; i < WIDTH; ++i) gradient[i] = mul_add(of.amount, theta[i], gradient[i]);
        } else if (of.decay == DECOUPLED) {
#pragma unroll
            for (int i = 0; i < WIDTH; ++i) theta[i] = theta[i] * of.amount;
        } else {
#pragma unroll
            for (int i = 0; i < WIDTH; ++i) theta[i] = mul_add(-(of.amount * rate[i]), theta[i], theta[i]);
        }
    }
};

} // namespace sagetrain

// SGD with momentum, heavy-ball or Nesterov's, as sgd.rs has it: `buffer` is b, and absent without momentum.
#pragma once
#include "decay.cuh"

namespace sagetrain {

// What `Constants::kind` says; other numbers are other rules'.
constexpr u32 PLAIN = 0, MOMENTUM = 1, NESTEROV = 2;

template <class F> struct SgdElement {
    using Float = F;
    __device__ static __forceinline__ u32 states(const Constants<F>& of) { return of.kind == PLAIN ? 0 : 1; }

    __device__ static __forceinline__ void element(const Constants<F>& of, F& theta, F gradient, F rate, F& buffer, F&) {
        F direction = gradient;
        if (of.kind != PLAIN) {
            buffer = buffer * of.momentum + gradient;
            direction = of.kind == NESTEROV ? mul_add(of.momentum, buffer, gradient) : buffer;
        }
        theta = mul_add(of.step_size * rate, direction, theta);
    }
};

template <class F> using Sgd = Decaying<SgdElement<F>>;

} // namespace sagetrain

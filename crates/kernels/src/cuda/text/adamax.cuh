// Adamax, as adamax.rs has it: `first` is m, `norm` is u.
#pragma once
#include "decay.cuh"
#include "moment.cuh"

namespace sagetrain {

template <class F> struct AdamaxElement {
    using Float = F;
    __device__ static __forceinline__ u32 states(const Constants<F>&) { return 2; }

    __device__ static __forceinline__ void element(const Constants<F>& of, F& theta, F gradient, F rate, F& first, F& norm) {
        first = toward(of.first_weight, of.first_from_value != 0, first, gradient);
        norm = maximum(norm * of.beta2, absolute(gradient) + of.epsilon);
        theta = theta + of.step_size * rate * first / norm;
    }
};

template <class F> using Adamax = Decaying<AdamaxElement<F>>;

} // namespace sagetrain

// Adam and AdamW, as adam.rs has them: `first` is m, `second` is v.
#pragma once
#include "decay.cuh"
#include "moment.cuh"

namespace sagetrain {

template <class F> struct AdamElement {
    using Float = F;
    __device__ static __forceinline__ u32 states(const Constants<F>&) { return 2; }

    __device__ static __forceinline__ void element(const Constants<F>& of, F& theta, F gradient, F rate, F& first, F& second) {
        first = toward(of.first_weight, of.first_from_value != 0, first, gradient);
        second = mul_add(of.second_weight * gradient, gradient, second * of.beta2);
        F denominator = root(second) / of.root_correction + of.epsilon;
        theta = theta + of.step_size * rate * first / denominator;
    }
};

template <class F> using Adam = Decaying<AdamElement<F>>;

} // namespace sagetrain

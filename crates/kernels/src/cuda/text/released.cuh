// AdamW and Adamax in the form of the authors' released code, as released.rs has them.
#pragma once
#include "layout.cuh"
#include "moment.cuh"

namespace sagetrain {

// A rule that decays in its own way: no pass over the elements before it.
template <class Element> struct Undecayed {
    using Float = typename Element::Float;
    __device__ static __forceinline__ u32 states(const Constants<Float>&) { return 2; }

    template <int WIDTH>
    __device__ static __forceinline__ void update(const Constants<Float>& of, Float (&theta)[WIDTH], Float (&gradient)[WIDTH],
                                                  const Float (&rate)[WIDTH], Float (&first)[WIDTH], Float (&second)[WIDTH]) {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) Element::element(of, theta[i], gradient[i], rate[i], first[i], second[i]);
    }
};

template <class F> struct ReleasedAdamWElement {
    using Float = F;
    __device__ static __forceinline__ void element(const Constants<F>& of, F& theta, F gradient, F rate, F& first, F& second) {
        first = toward(of.first_weight, of.first_from_value != 0, first, gradient);
        second = mul_add(of.second_weight * gradient, gradient, second * of.beta2);
        F denominator = root(second) + of.epsilon;
        theta = (theta + of.step_size * rate * first / denominator) * of.decayed;
    }
};

// `decayed` is λ here.
template <class F> struct ReleasedAdamaxElement {
    using Float = F;
    __device__ static __forceinline__ void element(const Constants<F>& of, F& theta, F gradient, F rate, F& first, F& norm) {
        first = toward(of.first_weight, of.first_from_value != 0, first, gradient);
        norm = maximum(norm * of.beta2, absolute(gradient) + of.epsilon);
        F direction = mul_add(of.decayed, theta, first / (norm + of.epsilon));
        theta = mul_add(of.step_size * rate, direction, theta);
    }
};

template <class F> using ReleasedAdamW = Undecayed<ReleasedAdamWElement<F>>;
template <class F> using ReleasedAdamax = Undecayed<ReleasedAdamaxElement<F>>;

} // namespace sagetrain

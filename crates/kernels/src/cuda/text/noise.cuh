// The noise of stochastic rounding, as noise.rs has it: Philox4x32-10 of (element / 8, parameter, step) under the seed.
#pragma once
#include "index.cuh"
#include "philox.cuh"

namespace sagetrain {

// The 16 bits each of the four elements from `element` on, a multiple of 4: one half of a counter's words, low halves first.
__device__ __forceinline__ void draw(u64 seed, u64 step, u32 parameter, u64 element, u32 (&noise)[4]) {
    u32 words[4];
    philox(seed, step, parameter, noise_counter(element), words);
    const bool second = (element & 4) != 0;
    const u32 low = second ? words[2] : words[0], high = second ? words[3] : words[1];
    noise[0] = low & 0xffffu, noise[1] = low >> 16;
    noise[2] = high & 0xffffu, noise[3] = high >> 16;
}

} // namespace sagetrain

// The noise of stochastic rounding, as noise.rs has it: Philox4x32-10 of (element / 8, parameter, step) under the seed.
#pragma once
#include "index.cuh"

namespace sagetrain {

// The 16 bits each of the four elements from `element` on, a multiple of 4: one half of a counter's words, low halves first.
__device__ __forceinline__ void draw(u64 seed, u64 step, u32 parameter, u64 element, u32 (&noise)[4]) {
    u32 a = noise_counter(element), b = parameter, c = (u32)step, d = (u32)(step >> 32);
    u32 key0 = (u32)seed, key1 = (u32)(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        u32 low_a = a * 0xd2511f53u, high_a = __umulhi(a, 0xd2511f53u);
        u32 low_c = c * 0xcd9e8d57u, high_c = __umulhi(c, 0xcd9e8d57u);
        a = high_c ^ b ^ key0;
        b = low_c;
        c = high_a ^ d ^ key1;
        d = low_a;
        key0 += 0x9e3779b9u;
        key1 += 0xbb67ae85u;
    }
    const bool second = (element & 4) != 0;
    const u32 low = second ? c : a, high = second ? d : b;
    noise[0] = low & 0xffffu, noise[1] = low >> 16;
    noise[2] = high & 0xffffu, noise[3] = high >> 16;
}

} // namespace sagetrain

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four words of the counter (counter, stream, step)
// under the seed.
#pragma once
#include "float.cuh"

namespace sagetrain {

__device__ __forceinline__ void philox(u64 seed, u64 step, u32 stream, u32 counter, u32 (&words)[4]) {
    u32 a = counter, b = stream, c = (u32)step, d = (u32)(step >> 32);
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
    words[0] = a, words[1] = b, words[2] = c, words[3] = d;
}

} // namespace sagetrain

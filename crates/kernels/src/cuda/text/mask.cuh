// Which elements a dropout drops, a byte each, as crates/torch's dropout.rs defines it.
#pragma once
#include "access.cuh"
#include "philox.cuh"

namespace sagetrain {

constexpr u32 MASKERS = 256;
// Counters of a group, and the elements they serve: each a pair in each of four rows.
constexpr u32 MASK_COUNTERS = 16, MASK_GROUP = 128, MASK_ROW = 32;

struct Mask {
    u64 dropped;
    u64 seed, step, groups;
    u32 stream, threshold;
};

static_assert(sizeof(Mask) == 40, "mask.rs");

__device__ __forceinline__ void write_mask(const Mask& task) {
    const u64 counters = task.groups * MASK_COUNTERS, stride = (u64)gridDim.x * MASKERS;
    for (u64 counter = (u64)blockIdx.x * MASKERS + threadIdx.x; counter < counters; counter += stride) {
        u32 words[4];
        philox(task.seed, task.step, task.stream, (u32)counter, words);
        const u64 first = task.dropped + counter / MASK_COUNTERS * MASK_GROUP + counter % MASK_COUNTERS * 2;
#pragma unroll
        for (u32 row = 0; row < 4; ++row) {
            const u32 low = (words[row] & 0xffffu) < task.threshold ? 1 : 0, high = (words[row] >> 16) < task.threshold ? 1 : 0;
            write_half((u16)(low | high << 8), first + row * MASK_ROW);
        }
    }
}

} // namespace sagetrain

#define SAGETRAIN_MASK(NAME)                                                                                              \
    extern "C" __global__ void __launch_bounds__(sagetrain::MASKERS) NAME(const __grid_constant__ sagetrain::Mask task) { \
        sagetrain::write_mask(task);                                                                                      \
    }

// The global norm, as norm.rs takes it: Σ g² of a block in one order, then all blocks in theirs, and what follows from it.
#pragma once
#include "index.cuh"
#include "memory.cuh"

namespace sagetrain {

// Running sums kept side by side, as on the CPU.
constexpr u32 LANES = 128;
// Lanes a thread keeps, next to each other, so that it reads them at once.
constexpr u32 KEPT = 4;
constexpr u32 SUMMERS = LANES / KEPT;

// One block of one gradient, and where its sum goes.
struct Part {
    u64 gradient;
    u32 count, slot;
};

struct Squares {
    const Part* parts;
    double* sums;
    u64 count;
};

struct Judge {
    const double* sums;
    Verdict* verdict;
    u64 count;
    // 1 / (divisor × loss scale), the norm to clip to (∞ for none), the largest number of the type computed in.
    double unscale, max_norm, largest;
    // 1: gradients that are not finite skip the step.
    u32 checks;
    // Not 0: what `skip` becomes then, and the verdict stays so.
    u32 sticky;
};

static_assert(sizeof(Part) == 16 && sizeof(Squares) == 24 && sizeof(Judge) == 56, "layout.rs");

// A row's elements to their lanes; `count` of them are there.
template <class S> __device__ __forceinline__ void add_row(const Part& part, u32 at, bool whole, u32 count, double (&sums)[KEPT]) {
    S values[KEPT];
    load<KEPT>(address(part.gradient, at, sizeof(S)), whole, count, values);
#pragma unroll
    for (u32 i = 0; i < KEPT; ++i) {
        const double value = (double)widen(values[i]);
        if (i < count) sums[i] = mul_add(value, value, sums[i]);
    }
}

// The lanes of thread `threadIdx.x` over all rows of 128, and the row that is cut short. Whole vectors have a loop without a branch, so
// that several are on their way at once.
template <class S> __device__ __forceinline__ void add_rows(const Part& part, double (&sums)[KEPT]) {
    const u32 lane = threadIdx.x * KEPT;
    const u32 rows = part.count < lane + KEPT ? 0 : (part.count - lane - KEPT) / LANES + 1;
    u32 row = 0;
    if (part.gradient % 16 == 0) {
#pragma unroll 8
        for (; row < rows; ++row) add_row<S>(part, lane + row * LANES, true, KEPT, sums);
    }
    for (u32 at = lane + row * LANES; at < part.count; at += LANES) {
        add_row<S>(part, at, false, part.count - at < KEPT ? part.count - at : KEPT, sums);
    }
}

// The sum of all lanes, halves added to halves.
__device__ __forceinline__ void fold(double* sums) {
    for (u32 half = LANES / 2; half > 0; half /= 2) {
        __syncthreads();
        for (u32 lane = threadIdx.x; lane < half; lane += SUMMERS) sums[lane] = sums[lane] + sums[lane + half];
    }
}

template <class S> __device__ __forceinline__ void squares(const Squares& task) {
    __shared__ double shared[LANES];
    for (u64 i = blockIdx.x; i < task.count; i += gridDim.x) {
        const Part part = task.parts[i];
        double sums[KEPT] = {};
        add_rows<S>(part, sums);
        for (u32 k = 0; k < KEPT; ++k) shared[threadIdx.x * KEPT + k] = sums[k];
        fold(shared);
        if (threadIdx.x == 0) task.sums[part.slot] = shared[0];
        __syncthreads();
    }
}

constexpr u32 JUDGES = 256;

// All partial sums, in order: fetched together, added by one thread.
__device__ __forceinline__ double total(const Judge& task) {
    __shared__ double shared[JUDGES];
    double sum = 0;
    for (u64 from = 0; from < task.count; from += JUDGES) {
        const u64 mine = from + threadIdx.x;
        if (mine < task.count) shared[threadIdx.x] = task.sums[mine];
        __syncthreads();
        const u64 left = task.count - from;
        if (threadIdx.x == 0) {
            for (u32 i = 0; i < (left < JUDGES ? (u32)left : JUDGES); ++i) sum = sum + shared[i];
        }
        __syncthreads();
    }
    return sum;
}

// Norm, factor and flags. The comparison gives 1 where the quotient is NaN, as the CPU's does.
__device__ __forceinline__ Verdict judge(const Judge& task, double sum) {
    Verdict verdict;
    verdict.norm = root(sum) * task.unscale;
    const double quotient = task.max_norm / (verdict.norm + 1e-6);
    verdict.factor = task.unscale * (quotient < 1.0 ? quotient : 1.0);
    verdict.finite = verdict.norm <= task.largest ? 1 : 0;
    const u32 skips = task.sticky != 0 ? task.sticky : 1;
    verdict.skip = task.checks != 0 && verdict.finite == 0 ? skips : 0;
    return verdict;
}

// Whether an earlier step's verdict stands.
__device__ __forceinline__ bool stands(const Judge& task) { return task.sticky != 0 && task.verdict->skip != 0; }

} // namespace sagetrain

#define SAGETRAIN_SQUARES(NAME, STORED)                                                                                      \
    extern "C" __global__ void __launch_bounds__(sagetrain::SUMMERS) NAME(const __grid_constant__ sagetrain::Squares task) { \
        using namespace sagetrain;                                                                                           \
        squares<STORED>(task);                                                                                               \
    }

#define SAGETRAIN_JUDGE(NAME)                                                                                             \
    extern "C" __global__ void __launch_bounds__(sagetrain::JUDGES) NAME(const __grid_constant__ sagetrain::Judge task) { \
        const double sum = sagetrain::total(task);                                                                        \
        if (threadIdx.x == 0 && !sagetrain::stands(task)) *task.verdict = sagetrain::judge(task, sum);                    \
    }

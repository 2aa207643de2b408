// What the host packs and the device reads, byte for byte: layout.rs has the same structs.
#pragma once
#include "float.cuh"

namespace sagetrain {

// Elements a chunk, and a partial sum of squares: BLOCK in lib.rs.
constexpr u32 BLOCK = 16384;
// Groups a launch can serve: what fits into the 4 KB of a kernel's parameters.
constexpr u32 GROUPS = 16;

// The numbers of one step of one group, rounded on the host as on the CPU. A rule reads its own and no others.
template <class F> struct Constants {
    F factor, amount, momentum, first_weight, beta2, second_weight, root_correction, epsilon, step_size, decayed;
    F beta0, weight, correction, sage_epsilon, scaled_epsilon, ceiling;
    // AblationRate: what makes a of u, b of i, d of i and u.
    F variation[2], average[2], divisor[3];
    F average_weight;
    u32 decay, sensing, kind, first_from_value, average_from_value, average_begins;
    u64 seed, step;
};

// The arrays of one parameter, in the units of their types; 0 where there is none.
struct Tensor {
    u64 parameter, gradient, first, second, sensitivity;
    // The master weights, or Kahan's compensation.
    u64 fine;
    u64 average;
    u64 length;
    u32 group;
    // The parameter's number in the noise's counter.
    u32 number;
};

// One block of one parameter.
struct Chunk {
    u32 tensor, block;
};

// What came of reading all gradients.
struct Verdict {
    // After un-scaling, before clipping.
    double norm;
    // Un-scaling, division and clipping in one.
    double factor;
    u32 finite;
    // Not 0: nothing is to be written.
    u32 skip;
};

// One launch's parameters.
template <class F> struct Launch {
    const Tensor* tensors;
    const Chunk* chunks;
    const Verdict* verdict;
    u32 count, unused;
    Constants<F> groups[GROUPS];
};

static_assert(sizeof(Constants<float>) == 136, "layout.rs");
static_assert(sizeof(Constants<double>) == 232, "layout.rs");
static_assert(sizeof(Tensor) == 72 && sizeof(Chunk) == 8 && sizeof(Verdict) == 24, "layout.rs");
static_assert(sizeof(Launch<double>) == 3744 && sizeof(Launch<float>) == 2208, "layout.rs");

} // namespace sagetrain

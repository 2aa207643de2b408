// The one loop all rules share, as pass.rs has it: read a few elements of every array, apply the rule, write back. Many tensors a launch.
#pragma once
#include "memory.cuh"
#include "moment.cuh"
#include "precision.cuh"
#include "sage.cuh"

namespace sagetrain {

constexpr u32 THREADS = 256;
// Blocks a multiprocessor must hold. Said at all, it keeps the assembler from spilling for a third, or from taking all registers.
constexpr u32 RESIDENT = 2;

// No sensitivity is kept, and r = 1.
template <class F> struct Blind {
    using Stored = F;
    static constexpr bool KEEPS = false;
};

// E is kept as `E`.
template <class E> struct Keeping {
    using Stored = E;
    static constexpr bool KEEPS = true;
};

template <class Rule, class Storage, class Sense> struct Pass {
    using F = typename Rule::Float;
    using Stored = typename Storage::Stored;
    using Fine = typename Storage::Fine;
    using Sensed = typename Sense::Stored;
    // Elements a thread takes at a time: 128 bits of what is computed in. Twice as many for 16-bit parameters would spill registers.
    static constexpr int WIDTH = 16 / sizeof(F);

    // What a thread holds of the arrays.
    struct Tile {
        Stored parameter[WIDTH], gradient[WIDTH];
        Fine fine[WIDTH];
        Sensed sensitivity[WIDTH];
        F first[WIDTH], second[WIDTH], average[WIDTH];
    };

    // The elements of a tile: `count` from `element` of the parameter on, all of them and aligned where `whole`.
    struct Place {
        u64 element;
        u32 count;
        bool whole;
    };

    template <class T> __device__ static __forceinline__ void take(u64 array, const Place& at, T (&to)[WIDTH]) {
        load<WIDTH>(address(array, at.element, sizeof(T)), at.whole, at.count, to);
    }

    template <class T> __device__ static __forceinline__ void put(const T (&from)[WIDTH], u64 array, const Place& at) {
        store<WIDTH>(from, address(array, at.element, sizeof(T)), at.whole, at.count);
    }

    __device__ static __forceinline__ void read(const Tensor& tensor, u32 states, const Place& at, Tile& tile) {
        take(tensor.parameter, at, tile.parameter);
        take(tensor.gradient, at, tile.gradient);
        if constexpr (Storage::HAS_FINE) take(tensor.fine, at, tile.fine);
        if constexpr (Sense::KEEPS) take(tensor.sensitivity, at, tile.sensitivity);
        if (states > 0) take(tensor.first, at, tile.first);
        if (states > 1) take(tensor.second, at, tile.second);
        if (tensor.average != 0) take(tensor.average, at, tile.average);
    }

    __device__ static __forceinline__ void write(const Tile& tile, const Tensor& tensor, u32 states, const Place& at) {
        put(tile.parameter, tensor.parameter, at);
        if constexpr (Storage::HAS_FINE) put(tile.fine, tensor.fine, at);
        if constexpr (Sense::KEEPS) put(tile.sensitivity, tensor.sensitivity, at);
        if (states > 0) put(tile.first, tensor.first, at);
        if (states > 1) put(tile.second, tensor.second, at);
        if (tensor.average != 0) put(tile.average, tensor.average, at);
    }

    __device__ static __forceinline__ void step(const Constants<F>& of, F factor, const Tensor& tensor, u64 element, Tile& tile) {
        F theta[WIDTH], gradient[WIDTH], rate[WIDTH];
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) {
            theta[i] = Storage::open(tile.parameter[i], tile.fine[i]);
            gradient[i] = widen(tile.gradient[i]) * factor;
            rate[i] = F(1);
        }
        if constexpr (Sense::KEEPS) keep(of, theta, gradient, tile.sensitivity, rate);
        Rule::update(of, theta, gradient, rate, tile.first, tile.second);
        if (tensor.average != 0) follow(of, theta, tile.average);
        close(of, tensor.number, element, theta, tile);
    }

    // r is made of the unrounded new E, as in a tile that was opened to the type computed in.
    __device__ static __forceinline__ void keep(const Constants<F>& of, const F (&theta)[WIDTH], const F (&gradient)[WIDTH],
                                                Sensed (&kept)[WIDTH], F (&rate)[WIDTH]) {
        F average[WIDTH];
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) average[i] = widen(kept[i]);
        sense<WIDTH>(of, theta, gradient, average, rate);
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) narrow(average[i], kept[i]);
    }

    // The parameters' average follows θ before that is narrowed.
    __device__ static __forceinline__ void follow(const Constants<F>& of, const F (&theta)[WIDTH], F (&average)[WIDTH]) {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) {
            F moved = toward(of.average_weight, of.average_from_value != 0, average[i], theta[i]);
            average[i] = of.average_begins != 0 ? theta[i] : moved;
        }
    }

    __device__ static __forceinline__ void close(const Constants<F>& of, u32 number, u64 element, const F (&theta)[WIDTH], Tile& tile) {
        u32 noise[4] = {};
        if constexpr (Storage::DRAWS) draw(of.seed, of.step, number, element, noise);
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) Storage::close(theta[i], noise[i], tile.parameter[i], tile.fine[i]);
    }

    // One block of one tensor, by the threads of one CUDA block.
    __device__ static __forceinline__ void block(const Constants<F>& of, F factor, const Tensor& tensor, u32 number) {
        const u64 start = block_start(number);
        const u32 length = block_length(number, tensor.length), states = Rule::states(of);
        const u64 arrays = tensor.parameter | tensor.gradient | tensor.first | tensor.second | tensor.sensitivity | tensor.fine |
                           tensor.average;
        const bool aligned = arrays % 16 == 0;
        for (u32 from = threadIdx.x * WIDTH; from < length; from += THREADS * WIDTH) {
            const u32 count = length - from < WIDTH ? length - from : WIDTH;
            const Place at = {start + from, count, aligned && count == WIDTH};
            Tile tile;
            read(tensor, states, at, tile);
            step(of, factor, tensor, at.element, tile);
            write(tile, tensor, states, at);
        }
    }

    __device__ static __forceinline__ void run(const Launch<F>& launch) {
        const Verdict* verdict = launch.verdict;
        if (verdict != nullptr && verdict->skip != 0) return;
        for (u64 i = blockIdx.x; i < launch.count; i += gridDim.x) {
            const Chunk chunk = launch.chunks[i];
            const Tensor tensor = launch.tensors[chunk.tensor];
            const Constants<F>& of = launch.groups[tensor.group];
            block(of, verdict != nullptr ? (F)verdict->factor : of.factor, tensor, chunk.block);
        }
    }
};

} // namespace sagetrain

// A kernel of one rule, one way to store and one way to keep sensitivity. `F` is the type computed in.
#define SAGETRAIN_STEP(NAME, F, RULE, STORAGE, SENSE)                                     \
    extern "C" __global__ void __launch_bounds__(sagetrain::THREADS, sagetrain::RESIDENT) \
        NAME(const __grid_constant__ sagetrain::Launch<F> launch) {                       \
        using namespace sagetrain;                                                        \
        Pass<RULE<F>, STORAGE, SENSE>::run(launch);                                       \
    }

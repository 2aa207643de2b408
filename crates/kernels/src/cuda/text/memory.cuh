// Reads and writes of several elements at a time: 128 bits where alignment and length allow, element by element elsewhere.
#pragma once
#include "stored.cuh"

namespace sagetrain {

__device__ __forceinline__ void from_words(const u32* words, int i, float& to) { to = __uint_as_float(words[i]); }
__device__ __forceinline__ void from_words(const u32* words, int i, double& to) {
    to = __hiloint2double((int)words[2 * i + 1], (int)words[2 * i]);
}
__device__ __forceinline__ void from_words(const u32* words, int i, Bfloat16& to) { to.bits = (u16)(words[i / 2] >> (i % 2 * 16)); }
__device__ __forceinline__ void from_words(const u32* words, int i, Float16& to) { to.bits = (u16)(words[i / 2] >> (i % 2 * 16)); }

__device__ __forceinline__ void to_words(float value, u32* words, int i) { words[i] = __float_as_uint(value); }
__device__ __forceinline__ void to_words(double value, u32* words, int i) {
    words[2 * i] = (u32)__double2loint(value);
    words[2 * i + 1] = (u32)__double2hiint(value);
}
// The words must be 0 before.
__device__ __forceinline__ void to_words(Bfloat16 value, u32* words, int i) { words[i / 2] |= (u32)value.bits << (i % 2 * 16); }
__device__ __forceinline__ void to_words(Float16 value, u32* words, int i) { words[i / 2] |= (u32)value.bits << (i % 2 * 16); }

// A pointer that comes out of a table is generic to the compiler, though all arrays are in global memory.
template <class T> __device__ __forceinline__ T* global(u64 address) {
    T* pointer = reinterpret_cast<T*>(address);
    __builtin_assume(__isGlobal(pointer));
    return pointer;
}

// `whole`: the address is a multiple of 16 (8 for 8 bytes in all) and all elements are there. Else the first `count` are.
template <int WIDTH, class T> __device__ __forceinline__ void load(u64 address, bool whole, u32 count, T (&to)[WIDTH]) {
    constexpr int WORDS = WIDTH * sizeof(T) / 4;
    u32 words[WORDS];
    if (whole) {
        if constexpr (WORDS == 2) {
            uint2 pair = *global<const uint2>(address);
            words[0] = pair.x, words[1] = pair.y;
        } else {
#pragma unroll
            for (int i = 0; i < WORDS; i += 4) {
                uint4 quad = global<const uint4>(address)[i / 4];
                words[i] = quad.x, words[i + 1] = quad.y, words[i + 2] = quad.z, words[i + 3] = quad.w;
            }
        }
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) from_words(words, i, to[i]);
    } else {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) to[i] = (u32)i < count ? global<const T>(address)[i] : T{};
    }
}

template <int WIDTH, class T> __device__ __forceinline__ void store(const T (&from)[WIDTH], u64 address, bool whole, u32 count) {
    constexpr int WORDS = WIDTH * sizeof(T) / 4;
    if (whole) {
        u32 words[WORDS] = {};
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) to_words(from[i], words, i);
        if constexpr (WORDS == 2) {
            *global<uint2>(address) = make_uint2(words[0], words[1]);
        } else {
#pragma unroll
            for (int i = 0; i < WORDS; i += 4) {
                global<uint4>(address)[i / 4] = make_uint4(words[i], words[i + 1], words[i + 2], words[i + 3]);
            }
        }
    } else {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) {
            if ((u32)i < count) global<T>(address)[i] = from[i];
        }
    }
}

} // namespace sagetrain

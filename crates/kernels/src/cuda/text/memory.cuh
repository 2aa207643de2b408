// Reads and writes of several elements at a time: 128 bits where alignment and length allow, element by element elsewhere.
#pragma once
#include "access.cuh"
#include "stored.cuh"

namespace sagetrain {

// Elements as the words they lie in.
template <int WORDS> __device__ __forceinline__ void from_words(const u32 (&words)[WORDS], int i, float& to) {
    to = __uint_as_float(words[i]);
}
template <int WORDS> __device__ __forceinline__ void from_words(const u32 (&words)[WORDS], int i, double& to) {
    to = __hiloint2double((int)words[2 * i + 1], (int)words[2 * i]);
}
template <int WORDS> __device__ __forceinline__ void from_words(const u32 (&words)[WORDS], int i, Bfloat16& to) {
    to.bits = (u16)(words[i / 2] >> (i % 2 * 16));
}
template <int WORDS> __device__ __forceinline__ void from_words(const u32 (&words)[WORDS], int i, Float16& to) {
    to.bits = (u16)(words[i / 2] >> (i % 2 * 16));
}

// The words must be 0 before.
template <int WORDS> __device__ __forceinline__ void to_words(float value, u32 (&words)[WORDS], int i) {
    words[i] = __float_as_uint(value);
}
template <int WORDS> __device__ __forceinline__ void to_words(double value, u32 (&words)[WORDS], int i) {
    words[2 * i] = (u32)__double2loint(value);
    words[2 * i + 1] = (u32)__double2hiint(value);
}
template <int WORDS> __device__ __forceinline__ void to_words(Bfloat16 value, u32 (&words)[WORDS], int i) {
    words[i / 2] |= (u32)value.bits << (i % 2 * 16);
}
template <int WORDS> __device__ __forceinline__ void to_words(Float16 value, u32 (&words)[WORDS], int i) {
    words[i / 2] |= (u32)value.bits << (i % 2 * 16);
}

// One element.
template <class T> __device__ __forceinline__ void read_one(u64 address, T& to) {
    u32 words[sizeof(T) / 4];
    read_words(address, words);
    from_words(words, 0, to);
}
__device__ __forceinline__ void read_one(u64 address, Bfloat16& to) { to.bits = read_half(address); }
__device__ __forceinline__ void read_one(u64 address, Float16& to) { to.bits = read_half(address); }

template <class T> __device__ __forceinline__ void write_one(const T& from, u64 address) {
    u32 words[sizeof(T) / 4];
    to_words(from, words, 0);
    write_words(words, address);
}
__device__ __forceinline__ void write_one(const Bfloat16& from, u64 address) { write_half(from.bits, address); }
__device__ __forceinline__ void write_one(const Float16& from, u64 address) { write_half(from.bits, address); }

// `whole`: the address is a multiple of 16 (of 8 where that is all) and all elements are there. Else the first `count` are.
template <int WIDTH, class T> __device__ __forceinline__ void load(u64 address, bool whole, u32 count, T (&to)[WIDTH]) {
    constexpr int WORDS = WIDTH * sizeof(T) / 4, STEP = WORDS < 4 ? WORDS : 4;
    if (whole) {
#pragma unroll
        for (int from = 0; from < WORDS; from += STEP) {
            u32 words[STEP];
            read_words(address + 4 * from, words);
            constexpr int EACH = WIDTH * STEP / WORDS;
#pragma unroll
            for (int i = 0; i < EACH; ++i) from_words(words, i, to[from * WIDTH / WORDS + i]);
        }
    } else {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) {
            to[i] = T{};
            if ((u32)i < count) read_one(address + i * sizeof(T), to[i]);
        }
    }
}

template <int WIDTH, class T> __device__ __forceinline__ void store(const T (&from)[WIDTH], u64 address, bool whole, u32 count) {
    constexpr int WORDS = WIDTH * sizeof(T) / 4;
    static_assert(WORDS <= 4, "a thread's part of an array is at most 128 bits");
    if (whole) {
        u32 words[WORDS] = {};
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) to_words(from[i], words, i);
        write_words(words, address);
    } else {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) {
            if ((u32)i < count) write_one(from[i], address + i * sizeof(T));
        }
    }
}

} // namespace sagetrain

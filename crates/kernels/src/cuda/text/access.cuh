// Single reads and writes of global memory, in the assembler's words: addresses come out of a table, and the compiler would neither
// know that they are global nor keep four words together.
#pragma once
#include "float.cuh"

namespace sagetrain {

__device__ __forceinline__ void read_words(u64 address, u32 (&to)[4]) {
    asm volatile("ld.global.v4.b32 {%0, %1, %2, %3}, [%4];" : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "l"(address));
}
__device__ __forceinline__ void read_words(u64 address, u32 (&to)[2]) {
    asm volatile("ld.global.v2.b32 {%0, %1}, [%2];" : "=r"(to[0]), "=r"(to[1]) : "l"(address));
}
__device__ __forceinline__ void read_words(u64 address, u32 (&to)[1]) {
    asm volatile("ld.global.b32 %0, [%1];" : "=r"(to[0]) : "l"(address));
}
__device__ __forceinline__ u16 read_half(u64 address) {
    u16 half;
    asm volatile("ld.global.b16 %0, [%1];" : "=h"(half) : "l"(address));
    return half;
}

__device__ __forceinline__ void write_words(const u32 (&from)[4], u64 address) {
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(address), "r"(from[0]), "r"(from[1]), "r"(from[2]), "r"(from[3])
                 : "memory");
}
__device__ __forceinline__ void write_words(const u32 (&from)[2], u64 address) {
    asm volatile("st.global.v2.b32 [%0], {%1, %2};" ::"l"(address), "r"(from[0]), "r"(from[1]) : "memory");
}
__device__ __forceinline__ void write_words(const u32 (&from)[1], u64 address) {
    asm volatile("st.global.b32 [%0], %1;" ::"l"(address), "r"(from[0]) : "memory");
}
__device__ __forceinline__ void write_half(u16 half, u64 address) {
    asm volatile("st.global.b16 [%0], %1;" ::"l"(address), "h"(half) : "memory");
}

} // namespace sagetrain

// access.cuh on the CPU: the same functions on ordinary memory. A vector off its alignment, which a GPU would refuse, ends the test.
#pragma once
#include "float.cuh"

namespace sagetrain {

template <int WORDS> void read_words(u64 address, u32 (&to)[WORDS]) {
    if (WORDS > 1 && address % (4 * WORDS) != 0) std::abort();
    std::memcpy(to, reinterpret_cast<const void*>(address), sizeof to);
}
template <int WORDS> void write_words(const u32 (&from)[WORDS], u64 address) {
    if (WORDS > 1 && address % (4 * WORDS) != 0) std::abort();
    std::memcpy(reinterpret_cast<void*>(address), from, sizeof from);
}
inline u16 read_half(u64 address) {
    u16 half;
    std::memcpy(&half, reinterpret_cast<const void*>(address), sizeof half);
    return half;
}
inline void write_half(u16 half, u64 address) { std::memcpy(reinterpret_cast<void*>(address), &half, sizeof half); }

} // namespace sagetrain

// Where elements are: 64 bits wherever a parameter may have more than 2^32 of them.
#pragma once
#include "layout.cuh"

namespace sagetrain {

// The position of a block's first element in its parameter.
__device__ __forceinline__ u64 block_start(u32 block) { return (u64)block * BLOCK; }

// How many elements of a block there are.
__device__ __forceinline__ u32 block_length(u32 block, u64 length) {
    u64 left = length - block_start(block);
    return left < BLOCK ? (u32)left : BLOCK;
}

// The address of an element of `size` bytes.
__device__ __forceinline__ u64 address(u64 array, u64 element, u32 size) { return array + element * size; }

// The noise's first counter word for an element: eight elements share one, and positions repeat after 2^35 elements.
__device__ __forceinline__ u32 noise_counter(u64 element) { return (u32)(element / 8); }

} // namespace sagetrain

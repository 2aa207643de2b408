// Philox4x32-10 for many counters at once: the draws that src/dropout.rs defines.

// The high and low halves of a · m in each lane.
INLINE void multiply_wide(U a, uint32_t m, U &high, U &low) {
#if SAGETRAIN_WIDTH == 16
  __m512i factor = _mm512_set1_epi32((int)m);
  __m512i even = _mm512_mul_epu32((__m512i)a, factor), odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), factor);
  low = (U)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
  high = (U)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
#elif SAGETRAIN_WIDTH == 8
  __m256i factor = _mm256_set1_epi32((int)m);
  __m256i even = _mm256_mul_epu32((__m256i)a, factor), odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)a, 32), factor);
  low = (U)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
  high = (U)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
#else
  for (int i = 0; i < W; i++) {
    uint64_t product = (uint64_t)a[i] * m;
    low[i] = (uint32_t)product;
    high[i] = (uint32_t)(product >> 32);
  }
#endif
}

// The 128 draws of 16 bits of one dropout group, in the order of the elements.
INLINE void draw_group(const DropoutKey &key, uint64_t group, uint16_t *draws) {
  const U none{};
  for (int first = 0; first < 16; first += W) {
    U counter = (U)lane_numbers() + (uint32_t)(group * 16 + first);
    U x = counter, y = none + key.stream, z = none + (uint32_t)key.step, w = none + (uint32_t)(key.step >> 32);
    uint32_t k0 = (uint32_t)key.seed, k1 = (uint32_t)(key.seed >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
      U high0, low0, high1, low1;
      multiply_wide(x, 0xD2511F53u, high0, low0);
      multiply_wide(z, 0xCD9E8D57u, high1, low1);
      x = high1 ^ y ^ k0;
      y = low1;
      z = high0 ^ w ^ k1;
      w = low0;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    // Word w of the 16 counters holds elements 32 w … 32 w + 31, two a counter.
    uint32_t *words = (uint32_t *)draws;
    *(Uu *)(words + first) = x;
    *(Uu *)(words + 16 + first) = y;
    *(Uu *)(words + 32 + first) = z;
    *(Uu *)(words + 48 + first) = w;
  }
}

// 0 or the scale for W neighbouring elements, from their draws.
INLINE F dropout_factors(const DropoutKey &key, const uint16_t *draws) {
  I drawn = (I)__builtin_convertvector(*(const Hu *)draws, U);
  return select(drawn < (int32_t)key.threshold - I{}, F{}, broadcast(key.scale));
}

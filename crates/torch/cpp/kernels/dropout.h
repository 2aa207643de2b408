// What the draws of philox.h drop, one bit an element.

// Which of 32 consecutive 16-bit draws reach the threshold.
INLINE uint32_t reached(const uint32_t *words, uint32_t threshold) {
#if SAGETRAIN_WIDTH == 16
  return _mm512_cmpge_epu16_mask(_mm512_loadu_si512(words), _mm512_set1_epi16(threshold));
#else
  const __m128i limit = _mm_set1_epi16(threshold);
  uint32_t bits = 0;
  for (int half = 0; half < 2; half++) {
    const __m128i *x = (const __m128i *)(words + 8 * half);
    __m128i low = _mm_cmpeq_epi16(_mm_subs_epu16(limit, _mm_loadu_si128(x)), _mm_setzero_si128());
    __m128i high = _mm_cmpeq_epi16(_mm_subs_epu16(limit, _mm_loadu_si128(x + 1)), _mm_setzero_si128());
    bits |= (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) << (16 * half);
  }
  return bits;
#endif
}

// One bit an element, 16 bytes a group, set where the element stays.
static void dropout_bits(const DropoutKey &key, int64_t begin, int64_t end, uint8_t *bits) {
  for (int64_t group = begin; group < end; group++) {
    alignas(64) uint16_t draws[dropout_group];
    draw_group(key, group, draws);
    for (int k = 0; k < 4; k++) {
      uint32_t kept = reached((const uint32_t *)draws + 16 * k, key.threshold);
      std::memcpy(bits + (group - begin) * 16 + k * 4, &kept, 4);
    }
  }
}

// The bits of W elements from `element` on, in the low bits. Reads up to 4 bytes past the last group.
INLINE uint32_t bits_from(const uint8_t *bits, int64_t element) {
  uint32_t word;
  std::memcpy(&word, bits + element / 8, 4);
  return word >> (element % 8);
}

// x · scale where the bit is set, else 0.
INLINE F keep(F x, uint32_t bits, float scale) {
#if SAGETRAIN_WIDTH == 16
  return (F)_mm512_maskz_mul_ps((__mmask16)bits, (__m512)x, (__m512)broadcast(scale));
#else
  I lane = lane_numbers();
  return select((((int32_t)bits - I{}) >> lane & 1) != 0, x * scale, F{});
#endif
}

// out = dropout(x) + residual, the latter if given.
template <typename T> static void drop(const Drop &d, int64_t begin, int64_t end) {
  const T *x = (const T *)d.x, *residual = (const T *)d.residual;
  T *out = (T *)d.out;
  for (int64_t i = begin; i < end; i += W) {
    int n = end - i < W ? end - i : W;
    F y = load(x + i, n);
    if (d.bits) y = keep(y, bits_from(d.bits, i), d.scale);
    if (residual) y += load(residual + i, n);
    store(out + i, y, n);
  }
}

static void drop(const Drop &d, int64_t begin, int64_t end) {
  by_type(d.type, [&](auto *type) { drop<std::remove_pointer_t<decltype(type)>>(d, begin, end); });
}

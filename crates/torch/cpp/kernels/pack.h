// Packing of a factor's rows into panels [units][W], the layout that `multiply` reads in order.

// Transposes W × W words: rows of the input are vectors, rows of the output are its columns.
#if SAGETRAIN_WIDTH == 16
INLINE void transpose(U (&x)[W]) {
  __m512i a[W], b[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) // pairs of words: rows i and i + 1
    a[i] = i % 2 ? _mm512_unpackhi_epi32((__m512i)x[i - 1], (__m512i)x[i]) : _mm512_unpacklo_epi32((__m512i)x[i], (__m512i)x[i + 1]);
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) { // quadruples: b[4 g + c] holds column c of each quarter of rows 4 g .. 4 g + 3
    int g = i / 4 * 4, c = i % 4;
    b[i] = c % 2 ? _mm512_unpackhi_epi64(a[g + c / 2], a[g + c / 2 + 2]) : _mm512_unpacklo_epi64(a[g + c / 2], a[g + c / 2 + 2]);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) { // 128-bit quarters: a 4 × 4 transpose of them
    __m512i p = _mm512_shuffle_i32x4(b[c], b[4 + c], 0x88), q = _mm512_shuffle_i32x4(b[c], b[4 + c], 0xdd);
    __m512i r = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0x88), s = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0xdd);
    x[c] = (U)_mm512_shuffle_i32x4(p, r, 0x88);
    x[4 + c] = (U)_mm512_shuffle_i32x4(q, s, 0x88);
    x[8 + c] = (U)_mm512_shuffle_i32x4(p, r, 0xdd);
    x[12 + c] = (U)_mm512_shuffle_i32x4(q, s, 0xdd);
  }
}
#else
INLINE void transpose(U (&x)[W]) {
  U y[W];
  for (int i = 0; i < W; i++)
    for (int j = 0; j < W; j++) y[i][j] = x[j][i];
  for (int i = 0; i < W; i++) x[i] = y[i];
}
#endif

// A float at a time, where `positive` is above zero if it is given.
template <typename T> INLINE F load_positive(const T *p, const T *positive, int n) {
  F x = load(p, n);
  return positive ? select(load(positive, n) > F{}, x, F{}) : x;
}

template <typename T>
static void pack_floats(const Factor &f, int64_t row, int rows, int64_t from, int64_t depth, uint32_t *out, float *row_sums) {
  const T *data = (const T *)f.data, *positive = (const T *)f.positive;
  if (!f.depth_contiguous) {
    F total = F{};
    for (int64_t k = 0; k < depth; k++) {
      int64_t at = (from + k) * f.stride + row;
      F x = load_positive(data + at, positive ? positive + at : nullptr, rows);
      total += x;
      *(Uu *)(out + k * W) = (U)x;
    }
    if (row_sums)
      for (int i = 0; i < rows; i++) row_sums[i] += total[i];
    return;
  }
  for (int64_t k = 0; k < depth; k += W) {
    int n = depth - k < W ? depth - k : W;
    U block[W];
    for (int i = 0; i < W; i++) {
      int64_t at = (row + i) * f.stride + from + k;
      block[i] = i < rows ? (U)load_positive(data + at, positive ? positive + at : nullptr, n) : U{};
    }
    if (row_sums)
      for (int i = 0; i < rows; i++) row_sums[i] += sum((F)block[i]);
    transpose(block);
    for (int i = 0; i < n; i++) *(Uu *)(out + (k + i) * W) = block[i];
  }
}

#if SAGETRAIN_HAS_BF16

INLINE U pairs(F even, F odd) {
  return __builtin_convertvector(narrow(even), U) | (__builtin_convertvector(narrow(odd), U) << 16);
}

// 2 W consecutive elements as W pairs.
INLINE U load_pairs(const float *p, const float *positive, int n) {
  F low = load_positive(p, positive, n < W ? n : W);
  F high = n > W ? load_positive(p + W, positive ? positive + W : nullptr, n - W) : F{};
  return (U)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
}
INLINE U load_pairs(const bf16 *p, const bf16 *positive, int n) {
  __mmask32 mask = n >= 2 * W ? 0xffffffffu : (1u << n) - 1;
  if (positive) mask = _mm512_mask_cmpgt_epi16_mask(mask, _mm512_maskz_loadu_epi16(mask, positive), _mm512_setzero_si512());
  return (U)_mm512_maskz_loadu_epi16(mask, p);
}
// One row of W elements as the low half of W words.
template <typename T> INLINE U load_words(const T *p, const T *positive, int n) {
  return __builtin_convertvector(narrow(load_positive(p, positive, n)), U);
}
INLINE U load_words(const bf16 *p, const bf16 *positive, int n) {
  __mmask16 mask = lanes(n);
  if (positive) mask = _mm256_mask_cmpgt_epi16_mask(mask, _mm256_maskz_loadu_epi16(mask, positive), _mm256_setzero_si256());
  return __builtin_convertvector((H)_mm256_maskz_loadu_epi16(mask, p), U);
}

template <typename T>
static void pack_pairs(const Factor &f, int64_t row, int rows, int64_t from, int64_t depth, uint32_t *out, float *row_sums) {
  const T *data = (const T *)f.data, *positive = (const T *)f.positive;
  int64_t units = (depth + 1) / 2;
  if (!f.depth_contiguous) {
    F total = F{};
    for (int64_t u = 0; u < units; u++) {
      int64_t at = (from + 2 * u) * f.stride + row;
      U even = load_words(data + at, positive ? positive + at : nullptr, rows), odd = U{};
      at += f.stride;
      if (2 * u + 1 < depth) odd = load_words(data + at, positive ? positive + at : nullptr, rows);
      total += as_float(even << 16);
      total += as_float(odd << 16);
      *(Uu *)(out + u * W) = even | (odd << 16);
    }
    if (row_sums)
      for (int i = 0; i < rows; i++) row_sums[i] += total[i];
    return;
  }
  for (int64_t u = 0; u < units; u += W) {
    int n = depth - 2 * u < 2 * W ? depth - 2 * u : 2 * W;
    U block[W];
    for (int i = 0; i < W; i++) {
      int64_t at = (row + i) * f.stride + from + 2 * u;
      block[i] = i < rows ? load_pairs(data + at, positive ? positive + at : nullptr, n) : U{};
    }
    if (row_sums)
      for (int i = 0; i < rows; i++) row_sums[i] += sum(as_float(block[i] << 16) + as_float(block[i] & 0xffff0000u));
    transpose(block);
    int64_t count = units - u < W ? units - u : W;
    for (int i = 0; i < count; i++) *(Uu *)(out + (u + i) * W) = block[i];
  }
}

INLINE void pack_pairs(const Factor &f, int64_t row, int rows, int64_t from, int64_t depth, uint32_t *out, float *row_sums) {
  if (f.type == Type::float32) return pack_pairs<float>(f, row, rows, from, depth, out, row_sums);
  if (f.type == Type::bfloat16) return pack_pairs<bf16>(f, row, rows, from, depth, out, row_sums);
  __builtin_unreachable(); // the driver never multiplies float16 as bfloat16
}

#endif

static void pack(const Factor &f, Compute compute, int64_t row, int rows, int64_t from, int64_t depth, uint32_t *out,
                 float *row_sums) {
#if SAGETRAIN_HAS_BF16
  if (compute == Compute::bfloat16) return pack_pairs(f, row, rows, from, depth, out, row_sums);
#endif
  (void)compute;
  if (f.type == Type::float32) return pack_floats<float>(f, row, rows, from, depth, out, row_sums);
  if (f.type == Type::bfloat16) return pack_floats<bf16>(f, row, rows, from, depth, out, row_sums);
  return pack_floats<f16>(f, row, rows, from, depth, out, row_sums);
}

// Vectors of float32 lanes in the width of the instruction set that the including file has chosen, as GCC vector extensions.
// Included inside the namespace of one instruction set; everything has internal linkage by it.

constexpr int W = SAGETRAIN_WIDTH;

typedef float F __attribute__((vector_size(W * 4)));
typedef int32_t I __attribute__((vector_size(W * 4)));
typedef uint32_t U __attribute__((vector_size(W * 4)));
typedef uint16_t H __attribute__((vector_size(W * 2)));
typedef float Fu __attribute__((vector_size(W * 4), aligned(4), may_alias));
typedef uint32_t Uu __attribute__((vector_size(W * 4), aligned(4), may_alias));
typedef uint16_t Hu __attribute__((vector_size(W * 2), aligned(2), may_alias));

#define INLINE static inline __attribute__((always_inline))

// Storage types of tensors.
struct bf16 {
  uint16_t bits;
};
struct f16 {
  uint16_t bits;
};

INLINE F broadcast(float x) { return x - F{}; }
INLINE F zero() { return F{}; }
INLINE I as_int(F x) { return (I)x; }
INLINE F as_float(I x) { return (F)x; }
INLINE F as_float(U x) { return (F)x; }
INLINE F select(I condition, F yes, F no) { return as_float((condition & as_int(yes)) | (~condition & as_int(no))); }
INLINE F max(F a, F b) { return select(a > b, a, b); }

INLINE I lane_numbers() {
  I lanes;
  for (int i = 0; i < W; i++) lanes[i] = i;
  return lanes;
}

// Lanes 0..n keep their value, the others become `other`.
INLINE F first(F x, int n, F other = F{}) { return select(lane_numbers() < n - I{}, x, other); }

// Sums the lanes pairwise, in an order that is fixed for a width.
INLINE float sum(F x) {
  float lanes[W];
  *(Fu *)lanes = x;
  for (int n = W / 2; n > 0; n /= 2)
    for (int i = 0; i < n; i++) lanes[i] += lanes[i + n];
  return lanes[0];
}

INLINE float largest(F x) {
  float lanes[W], best;
  *(Fu *)lanes = x;
  best = lanes[0];
  for (int i = 1; i < W; i++) best = lanes[i] > best ? lanes[i] : best;
  return best;
}

// --- loads and stores, widening from and rounding to the storage type ---------------------------------------------------

INLINE F load(const float *p) { return *(const Fu *)p; }
INLINE F widen(H bits) { return as_float(__builtin_convertvector(bits, U) << 16); }
INLINE F load(const bf16 *p) { return widen(*(const Hu *)p); }

INLINE F load(const f16 *p) {
#if SAGETRAIN_WIDTH == 16
  return (F)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
#elif SAGETRAIN_WIDTH == 8
  return (F)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
#else
  F out;
  for (int i = 0; i < W; i++) {
    _Float16 half;
    std::memcpy(&half, p + i, 2);
    out[i] = half;
  }
  return out;
#endif
}

INLINE void store(float *p, F x) { *(Fu *)p = x; }

// Round to nearest even; a NaN stays one.
INLINE H narrow(F x) {
#if SAGETRAIN_HAS_BF16
  return (H)_mm512_cvtneps_pbh((__m512)x);
#else
  U bits = (U)x;
  U rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  U quiet = (bits >> 16) | 0x40;
  U is_nan = (U)(x != x);
  return __builtin_convertvector((is_nan & quiet) | (~is_nan & rounded), H);
#endif
}
INLINE void store(bf16 *p, F x) { *(Hu *)p = narrow(x); }

INLINE void store(f16 *p, F x) {
#if SAGETRAIN_WIDTH == 16
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif SAGETRAIN_WIDTH == 8
  _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
  for (int i = 0; i < W; i++) {
    _Float16 half = x[i];
    std::memcpy(p + i, &half, 2);
  }
#endif
}

// The first n lanes; the rest reads as zero and is not touched.
#if SAGETRAIN_WIDTH == 16
INLINE __mmask16 lanes(int n) { return n >= W ? 0xffff : (1u << n) - 1; }
INLINE __m256i bits(const void *p, int n) { return _mm256_maskz_loadu_epi16(lanes(n), p); }
INLINE F load(const float *p, int n) { return (F)_mm512_maskz_loadu_ps(lanes(n), p); }
INLINE F load(const bf16 *p, int n) { return widen((H)bits(p, n)); }
INLINE F load(const f16 *p, int n) { return (F)_mm512_cvtph_ps(bits(p, n)); }
// Zen 4 takes many times longer for a masked store than for a whole one.
INLINE void store(float *p, F x, int n) { n >= W ? store(p, x) : _mm512_mask_storeu_ps(p, lanes(n), (__m512)x); }
INLINE void store(bf16 *p, F x, int n) { n >= W ? store(p, x) : _mm256_mask_storeu_epi16(p, lanes(n), (__m256i)narrow(x)); }
INLINE void store(f16 *p, F x, int n) {
  if (n >= W) return store(p, x);
  f16 all[W];
  store(all, x);
  _mm256_mask_storeu_epi16(p, lanes(n), _mm256_loadu_si256((const __m256i *)all));
}
#else
template <typename T> INLINE F load(const T *p, int n) {
  if (n >= W) return load(p);
  T lanes[W] = {};
  std::memcpy(lanes, p, n * sizeof(T));
  return load(lanes);
}
template <typename T> INLINE void store(T *p, F x, int n) {
  if (n >= W) return store(p, x);
  T lanes[W];
  store(lanes, x);
  std::memcpy(p, lanes, n * sizeof(T));
}
#endif

// Calls body with a null pointer of the storage type, so that one template serves all three.
template <typename Body> INLINE void by_type(Type type, Body body) {
  if (type == Type::float32) return body((float *)nullptr);
  if (type == Type::bfloat16) return body((bf16 *)nullptr);
  return body((f16 *)nullptr);
}

// --- functions ---------------------------------------------------------------------------------------------------------

// e^x to about one unit in the last place; 0 below -87.3, clamped to e^88.3 above, NaN for NaN. Cephes' expf: range reduction by ln 2 in two
// parts, a polynomial of degree 5, and the exponent put in as bits.
INLINE F exp(F x) {
  F bounded = select(x > 88.3f - F{}, 88.3f - F{}, x);
  bounded = select(bounded < -87.3f - F{}, -87.3f - F{}, bounded);
  const float magic = 12582912.0f; // 1.5 · 2^23: adding it rounds to an integer held in the low bits
  F shifted = bounded * 1.44269504088896341f + magic;
  F n = shifted - magic;
  F r = bounded - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  F p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  F power = as_float((as_int(shifted) - 0x4b400000 + 127) << 23);
  return select(x < -87.3f - F{}, F{}, p * power);
}

// 1 / (1 + e^−x).
INLINE F sigmoid(F x) { return 1.0f / (1.0f + exp(-x)); }

// GELU's tanh form is x · (1 + tanh(u)) / 2 = x · σ(2u), u = √(2/π) (x + 0.044715 x³): this is 2u.
INLINE F gelu_tanh_argument(F x) { return x * 1.5957691216057308f * (1.0f + 0.044715f * x * x); }

// Φ(x), the standard normal distribution function, to 1e-7 (Abramowitz and Stegun, 7.1.26, of |x| / √2).
INLINE F normal_cdf(F x) {
  F a = select(x < F{}, -x, x) * 0.70710678118654752f;
  F t = 1.0f / (1.0f + 0.3275911f * a);
  F p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
  F upper = 0.5f * p * exp(-a * a);
  return select(x < F{}, upper, 1.0f - upper);
}

// The micro kernel: a tile of R rows × 2 W columns held in registers while the depth runs. With W = 16 and R = 14 it takes 28 of the 32
// registers for sums and reaches the processor's peak (measured on an EPYC: 118 of 118 GFLOP/s a core in float32, 236 of 236 in bfloat16).

#if SAGETRAIN_WIDTH == 16
constexpr int tile_rows = 14;
#elif SAGETRAIN_WIDTH == 8
constexpr int tile_rows = 6;
#else
constexpr int tile_rows = 4;
#endif

// Both factors of a block are larger than a 32 KiB first-level cache, and its own prefetcher comes late: asking for what is this many units
// away took a core of a Xeon (AVX-512, 2.5 GHz) from 108 to 123 of 150 GFLOP/s; 4 units gave 117, 20 gave 120.
constexpr int units_ahead = 10;

template <int R> struct Floats {
  INLINE void step(F (&c)[R][2], const uint32_t *a, const uint32_t *b0, const uint32_t *b1) {
    F low = *(const Fu *)b0, high = *(const Fu *)b1;
    const float *left = (const float *)a;
    if constexpr (W == 16) {
      __builtin_prefetch(a + units_ahead * W);
      __builtin_prefetch(b0 + units_ahead * W);
      __builtin_prefetch(b1 + units_ahead * W);
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      F x = broadcast(left[i]);
      c[i][0] += x * low;
      c[i][1] += x * high;
    }
  }
};

#if SAGETRAIN_HAS_BF16
template <int R> struct Pairs {
  INLINE void step(F (&c)[R][2], const uint32_t *a, const uint32_t *b0, const uint32_t *b1) {
    __m512bh low = (__m512bh)_mm512_loadu_si512(b0), high = (__m512bh)_mm512_loadu_si512(b1);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      __m512bh x = (__m512bh)_mm512_set1_epi32(a[i]);
      c[i][0] = (F)_mm512_dpbf16_ps((__m512)c[i][0], low, x);
      c[i][1] = (F)_mm512_dpbf16_ps((__m512)c[i][1], high, x);
    }
  }
};
#endif

constexpr int64_t fetch_ahead = 64; // units before the end of a tile at which the lines it goes to are asked for

template <template <int> class Step, int R>
static void multiply_rows(int64_t units, const uint32_t *a, const uint32_t *b0, const uint32_t *b1, float *tile, bool accumulate,
                          const Target &target) {
  F c[R][2];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
    c[i][0] = accumulate ? load(tile + i * 2 * W) : F{};
    c[i][1] = accumulate ? load(tile + i * 2 * W + W) : F{};
  }
  const int64_t early = units > fetch_ahead ? units - fetch_ahead : 0;
  for (int64_t u = 0; u < early; u++) Step<R>::step(c, a + u * W, b0 + u * W, b1 + u * W);
  if (target.lines)
    for (int i = 0; i < R; i++)
      for (int j = 0; j < target.lines; j++) __builtin_prefetch(target.start + i * target.stride + j * 64, 1);
  for (int64_t u = early; u < units; u++) Step<R>::step(c, a + u * W, b0 + u * W, b1 + u * W);
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
    store(tile + i * 2 * W, c[i][0]);
    store(tile + i * 2 * W + W, c[i][1]);
  }
}

// Chooses the instance for `rows`, from R downwards.
template <template <int> class Step, int R>
INLINE void multiply_tile(int rows, int64_t units, const uint32_t *a, const uint32_t *b0, const uint32_t *b1, float *tile,
                          bool accumulate, const Target &target) {
  if (rows == R) return multiply_rows<Step, R>(units, a, b0, b1, tile, accumulate, target);
  if constexpr (R > 1) multiply_tile<Step, R - 1>(rows, units, a, b0, b1, tile, accumulate, target);
}

static void multiply(Compute compute, int rows, int64_t units, const uint32_t *a, const uint32_t *b0, const uint32_t *b1, float *tile,
                     bool accumulate, const Target &target) {
#if SAGETRAIN_HAS_BF16
  if (compute == Compute::bfloat16) return multiply_tile<Pairs, tile_rows>(rows, units, a, b0, b1, tile, accumulate, target);
#endif
  (void)compute;
  multiply_tile<Floats, tile_rows>(rows, units, a, b0, b1, tile, accumulate, target);
}

INLINE F activate(F x, Activation activation) {
  if (activation == Activation::relu) return select(x > F{}, x, select(x != x, x, F{})); // a NaN stays one
  if (activation == Activation::gelu) return x * normal_cdf(x);
  if (activation == Activation::swish) return x * sigmoid(x);
  if (activation == Activation::gelu_tanh) return x * sigmoid(gelu_tanh_argument(x));
  return x;
}

template <typename T>
static void finish_rows(const Output &o, const float *tile, int64_t row, int rows, int64_t column, int columns) {
  for (int i = 0; i < rows; i++) {
    int64_t at = (row + i) * o.stride + column;
    for (int j = 0; j < columns; j += W) {
      int n = columns - j < W ? columns - j : W;
      F x = load(tile + i * 2 * W + j);
      if (o.bias) x += load(o.bias + column + j, n);
      if (o.before_activation) store((T *)o.before_activation + at + j, x, n);
      x = activate(x, o.activation);
      if (o.accumulate) x += load((T *)o.c + at + j, n);
      store((T *)o.c + at + j, x, n);
    }
  }
}

template <typename T>
static void finish_transposed(const Output &o, const float *tile, int64_t row, int rows, int64_t column, int columns) {
  for (int j = 0; j < columns; j += W) {
    U block[W];
    for (int i = 0; i < W; i++) block[i] = i < rows ? *(const Uu *)(tile + i * 2 * W + j) : U{};
    transpose(block);
    for (int i = 0; i < W && j + i < columns; i++) {
      T *c = (T *)o.c + (column + j + i) * o.stride + row;
      store(c, o.accumulate ? (F)block[i] + load(c, rows) : (F)block[i], rows);
    }
  }
}

static void finish(const Output &o, const float *tile, int64_t row, int rows, int64_t column, int columns) {
  by_type(o.type, [&](auto *type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (o.transposed) return finish_transposed<T>(o, tile, row, rows, column, columns);
    finish_rows<T>(o, tile, row, rows, column, columns);
  });
}

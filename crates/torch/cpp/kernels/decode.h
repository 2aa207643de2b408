// Decoding: attention of single queries to keys that lie anywhere, and the best entries of rows of logits.

constexpr int vectors_a_strip = 4; // of values that are summed at a time

// probabilities · values: columns from `begin` on, at most a strip of them.
template <typename T> static void mix(const SingleQuery &a, int64_t column, int64_t begin, const float *probabilities, T *out) {
  F sums[vectors_a_strip] = {};
  int lanes[vectors_a_strip];
  for (int i = 0; i < vectors_a_strip; i++) {
    const int64_t left = a.dim - begin - i * W;
    lanes[i] = left < 0 ? 0 : left < W ? left : W;
  }
  for (int64_t key = 0; key < a.keys; key++) {
    const T *value = (const T *)a.rows[key] + a.width + column + begin;
    const F p = broadcast(probabilities[key]);
    for (int i = 0; i < vectors_a_strip; i++)
      if (lanes[i]) sums[i] += p * load(value + i * W, lanes[i]);
  }
  for (int i = 0; i < vectors_a_strip; i++)
    if (lanes[i]) store(out + begin + i * W, sums[i], lanes[i]);
}

INLINE float highest_of(const float *x, int64_t count) {
  F top = -INFINITY - F{};
  for (int64_t j = 0; j < count; j += W) {
    const int n = count - j < W ? count - j : W;
    top = max(top, first(load(x + j, n), n, -INFINITY - F{}));
  }
  return largest(top);
}

// Turns scores into probabilities.
static void normalise(float *scores, int64_t count) {
  const float highest = highest_of(scores, count);
  F total = F{};
  for (int64_t j = 0; j < count; j += W) {
    const int n = count - j < W ? count - j : W;
    const F e = first(exp(load(scores + j, n) - highest), n);
    store(scores + j, e, n);
    total += e;
  }
  const float inverse = 1.0f / sum(total);
  for (int64_t j = 0; j < count; j += W) {
    const int n = count - j < W ? count - j : W;
    store(scores + j, load(scores + j, n) * inverse, n);
  }
}

template <typename T> static void attend_single(const SingleQuery &a) {
  for (int64_t head = 0; head < a.heads; head++) {
    const int64_t column = head * a.dim;
    const T *query = (const T *)a.q + column;
    for (int64_t key = 0; key < a.keys; key++) {
      const T *row = (const T *)a.rows[key] + column;
      F score = F{};
      for (int64_t d = 0; d < a.dim; d += W) {
        const int n = a.dim - d < W ? a.dim - d : W;
        score += load(query + d, n) * load(row + d, n);
      }
      a.scores[key] = sum(score) * a.scale;
    }
    normalise(a.scores, a.keys);
    for (int64_t begin = 0; begin < a.dim; begin += vectors_a_strip * W) mix(a, column, begin, a.scores, (T *)a.out + column);
    if (a.weights)
      for (int64_t key = 0; key < a.keys; key++) a.weights[key] += a.scores[key] / a.heads;
  }
}

static void attend_single(const SingleQuery &a) {
  by_type(a.type, [&](auto *type) { attend_single<std::remove_pointer_t<decltype(type)>>(a); });
}

// Which lanes are set.
INLINE uint32_t mask_of(I condition) {
#if SAGETRAIN_WIDTH == 16
  return _mm512_movepi32_mask((__m512i)condition);
#elif SAGETRAIN_WIDTH == 8
  return _mm256_movemask_ps((__m256)condition);
#else
  uint32_t mask = 0;
  for (int i = 0; i < W; i++) mask |= (condition[i] ? 1u : 0u) << i;
  return mask;
#endif
}

// The logarithm of the sum of exponentials of a row; NaN where an entry is NaN or +∞, or all are -∞.
static double log_sum_exp(const float *x, int64_t count) {
  const float highest = highest_of(x, count);
  F total = F{};
  for (int64_t j = 0; j < count; j += W) {
    const int n = count - j < W ? count - j : W;
    total += first(exp(load(x + j, n) - highest), n);
  }
  return highest + std::log((double)sum(total));
}

// Sorts the worst of the entries kept to the top of a heap; of equal ones the later is worse.
struct Better {
  bool operator()(const Entry &a, const Entry &b) const { return a.value > b.value || (a.value == b.value && a.column < b.column); }
};

static void best_of_row(const Best &a, int64_t row) {
  const float *x = a.logits + row * a.stride;
  Entry *best = a.best + row * a.count;
  const double mass = log_sum_exp(x, a.columns);
  int64_t kept = 0;
  float worst = -INFINITY;
  for (int64_t j = 0; j < a.columns; j += W) {
    const int n = a.columns - j < W ? a.columns - j : W;
    uint32_t candidates = mask_of(first(load(x + j, n), n, -INFINITY - F{}) > broadcast(worst));
    for (; candidates; candidates &= candidates - 1) {
      const int64_t column = j + __builtin_ctz(candidates);
      if (std::find(a.excluded, a.excluded + a.excluded_count, column) != a.excluded + a.excluded_count) continue;
      if (kept == a.count) {
        if (!(x[column] > best[0].value)) continue; // the heap may have risen since the vector was compared
        std::pop_heap(best, best + kept--, Better{});
      }
      best[kept++] = {x[column], static_cast<int32_t>(column)};
      std::push_heap(best, best + kept, Better{});
      if (kept == a.count) worst = best[0].value;
    }
  }
  std::sort_heap(best, best + kept, Better{});
  for (int64_t i = 0; i < kept; i++) best[i].value = best[i].value - mass;
  for (int64_t i = kept; i < a.count; i++) best[i] = {-INFINITY, -1};
  a.log_masses[row] = mass;
}

static void best(const Best &a, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) best_of_row(a, row);
}

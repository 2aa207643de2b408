// Attention of one sequence and head. Keys and values are packed once; queries come in blocks, each with its whole row of scores, so
// that memory grows with the length and not with its square. Every product is the micro kernel's, in float32.

constexpr int query_block = 4 * tile_rows;

INLINE int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Panels of `height` rows, each [depth][W].
static void pack_panels(const Factor &f, int64_t rows, int64_t depth, int height, float *out) {
  for (int64_t r = 0; r < rows; r += height) {
    int n = rows - r < height ? rows - r : height;
    pack(f, Compute::float32, r, n, 0, depth, (uint32_t *)out, nullptr);
    out += depth * W;
  }
}

// c[rows][columns] = (or +=) left · rightᵀ over packed panels; c's stride is a multiple of 2 W.
static void product(const float *left, int64_t rows, const float *right, int64_t columns, int64_t depth, float *c, int64_t stride,
                    bool accumulate) {
  for (int64_t j = 0; j < columns; j += 2 * W) {
    const uint32_t *low = (const uint32_t *)(right + j * depth), *high = columns - j > W ? low + depth * W : low;
    for (int64_t r = 0; r < rows; r += tile_rows) {
      const int n = rows - r < tile_rows ? rows - r : tile_rows;
      alignas(64) float tile[tile_rows * 2 * W];
      multiply(Compute::float32, n, depth, (const uint32_t *)(left + r / tile_rows * depth * W), low, high, tile, false, Target{});
      for (int i = 0; i < n; i++) {
        float *to = c + (r + i) * stride + j;
        for (int half = 0; half < 2 * W; half += W) {
          F x = load(tile + i * 2 * W + half);
          store(to + half, accumulate ? x + load(to + half) : x);
        }
      }
    }
  }
}

// Scratch memory of one task, handed out piece by piece.
struct Scratch {
  float *next;
  float *take(int64_t floats) {
    float *piece = next;
    next += round_up(floats, 16);
    return piece;
  }
};

struct Shape {
  int64_t keys, width;                 // padded to whole tiles
  int64_t right_keys, right_width;     // packed right factors: keys × dim and dim × keys
  int64_t left_dim, left_keys, column; // packed left factors of a block, and of its transpose
  Shape(int64_t key_count, int64_t dim) {
    keys = round_up(key_count, 2 * W), width = round_up(dim, 2 * W);
    right_keys = round_up(key_count, W) * dim, right_width = round_up(dim, W) * key_count;
    left_dim = 4 * dim * W, left_keys = 4 * key_count * W;
    column = (key_count + tile_rows - 1) / tile_rows * query_block * W;
  }
};

static int64_t attention_scratch(int64_t keys, int64_t dim, bool backward) {
  Shape s(keys, dim);
  int64_t forward = s.right_keys + s.right_width + s.left_dim + s.left_keys + query_block * (s.keys + s.width);
  int64_t more = s.right_keys + s.left_dim + s.left_keys + 2 * s.column + 2 * query_block * (s.keys + s.width) + 2 * keys * s.width;
  return forward + (backward ? more : 0) + 32 * 16;
}

// How many keys query i sees.
INLINE int64_t visible(const AttentionHead &a, int64_t i) {
  int64_t n = a.causal ? i + 1 + a.keys - a.queries : a.keys;
  return n < 0 ? 0 : n < a.keys ? n : a.keys;
}

// The bits of row i of the probabilities, made anew whenever they are needed.
struct RowBits {
  const AttentionHead &a;
  int64_t stride, made = -1;
  uint8_t bits[16 * 64 + 4];
  explicit RowBits(const AttentionHead &a) : a(a), stride(round_up(a.keys, 16)) {}
  // Bits of W elements at column j of row i. Groups are made 64 at a time.
  uint32_t at(int64_t i, int64_t j) {
    int64_t element = i * stride + j, group = element / dropout_group, chunk = group / 64;
    if (chunk != made) {
      int64_t last = round_up(a.queries * stride, dropout_group) / dropout_group;
      int64_t end = (chunk + 1) * 64 < last ? (chunk + 1) * 64 : last;
      dropout_bits(*a.dropout, a.base / dropout_group + chunk * 64, a.base / dropout_group + end, bits);
      made = chunk;
    }
    return bits_from(bits, element - chunk * 64 * dropout_group);
  }
};

template <typename T> INLINE void store_rows(const float *from, int64_t stride, int64_t rows, int64_t dim, void *to, int64_t to_stride) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < dim; j += W) store((T *)to + i * to_stride + j, load(from + i * stride + j), dim - j < W ? dim - j : W);
}

template <typename T> INLINE const void *row(const void *p, int64_t i, int64_t stride) { return (const T *)p + i * stride; }

// Turns a row of scores into probabilities, dropped out; returns the logarithm of the sum of exponentials.
static float softmax(const AttentionHead &a, int64_t i, float *scores, int64_t padded, RowBits *bits) {
  const int64_t n = visible(a, i);
  F top = -INFINITY - F{}, total = F{};
  for (int64_t j = 0; j < n; j += W) {
    F x = load(scores + j) * a.scale;
    store(scores + j, x);
    top = max(top, first(x, n - j < W ? n - j : W, -INFINITY - F{}));
  }
  const float highest = largest(top);
  for (int64_t j = 0; j < n; j += W) {
    F e = first(exp(load(scores + j) - highest), n - j < W ? n - j : W);
    store(scores + j, e);
    total += e;
  }
  const float mass = sum(total), inverse = 1.0f / mass;
  for (int64_t j = 0; j < n; j += W) {
    F p = load(scores + j) * inverse;
    store(scores + j, bits ? keep(p, bits->at(i, j), a.dropout->scale) : p);
  }
  for (int64_t j = round_up(n, W); j < padded; j += W) store(scores + j, F{});
  return n ? highest + std::log(mass) : 0.0f;
}

template <typename T> static void attend(const AttentionHead &a) {
  Shape s(a.keys, a.dim);
  Scratch scratch{a.scratch};
  float *keys = scratch.take(s.right_keys), *values = scratch.take(s.right_width), *left = scratch.take(s.left_dim + s.left_keys);
  float *scores = scratch.take(query_block * s.keys), *mixed = scratch.take(query_block * s.width);
  pack_panels({a.k, a.type, a.k_stride, true}, a.keys, a.dim, W, keys);
  pack_panels({a.v, a.type, a.v_stride, false}, a.dim, a.keys, W, values);
  RowBits bits(a);
  for (int64_t from = 0; from < a.queries; from += query_block) {
    const int64_t rows = a.queries - from < query_block ? a.queries - from : query_block;
    pack_panels({row<T>(a.q, from, a.q_stride), a.type, a.q_stride, true}, rows, a.dim, tile_rows, left);
    product(left, rows, keys, a.keys, a.dim, scores, s.keys, false);
    for (int64_t i = 0; i < rows; i++) {
      float log_mass = softmax(a, from + i, scores + i * s.keys, s.keys, a.dropout ? &bits : nullptr);
      a.log_sums[(from + i) * a.log_stride] = log_mass;
    }
    pack_panels({scores, Type::float32, s.keys, true}, rows, a.keys, tile_rows, left);
    product(left, rows, values, a.dim, a.keys, mixed, s.width, false);
    store_rows<T>(mixed, s.width, rows, a.dim, (T *)a.out + from * a.out_stride, a.out_stride);
  }
}

// From scores and the gradients of the dropped-out probabilities, row by row: `scores` becomes the dropped-out probabilities and
// `slopes` the gradients of the scores.
static void softmax_backward(const AttentionHead &a, int64_t i, float *scores, float *slopes, int64_t padded, RowBits *bits) {
  const int64_t n = visible(a, i);
  F along = F{};
  for (int64_t j = 0; j < n; j += W) {
    const int lanes = n - j < W ? n - j : W;
    F p = first(exp(load(scores + j) * a.scale - a.log_sums[i * a.log_stride]), lanes), g = load(slopes + j);
    if (bits) g = keep(g, bits->at(i, j), a.dropout->scale);
    g = first(g, lanes);
    store(scores + j, p);
    store(slopes + j, g);
    along += p * g;
  }
  const float mean = sum(along);
  for (int64_t j = 0; j < n; j += W) {
    F p = load(scores + j);
    store(slopes + j, p * (load(slopes + j) - mean) * a.scale);
    if (bits) store(scores + j, keep(p, bits->at(i, j), a.dropout->scale));
  }
  for (int64_t j = round_up(n, W); j < padded; j += W) {
    store(scores + j, F{});
    store(slopes + j, F{});
  }
}

template <typename T> static void attend_backward(const AttentionHead &a) {
  Shape s(a.keys, a.dim);
  Scratch scratch{a.scratch};
  float *keys = scratch.take(s.right_keys), *values = scratch.take(s.right_keys), *key_columns = scratch.take(s.right_width);
  float *left = scratch.take(s.left_dim + s.left_keys), *down = scratch.take(s.column);
  float *scores = scratch.take(query_block * s.keys), *slopes = scratch.take(query_block * s.keys);
  float *dq = scratch.take(query_block * s.width), *dk = scratch.take(a.keys * s.width), *dv = scratch.take(a.keys * s.width);
  float *right = scratch.take(query_block * s.width);
  pack_panels({a.k, a.type, a.k_stride, true}, a.keys, a.dim, W, keys);
  pack_panels({a.v, a.type, a.v_stride, true}, a.keys, a.dim, W, values);
  pack_panels({a.k, a.type, a.k_stride, false}, a.dim, a.keys, W, key_columns);
  if (!a.queries) std::memset(dk, 0, a.keys * s.width * sizeof(float)), std::memset(dv, 0, a.keys * s.width * sizeof(float));
  RowBits bits(a);
  for (int64_t from = 0; from < a.queries; from += query_block) {
    const int64_t rows = a.queries - from < query_block ? a.queries - from : query_block;
    const Factor query{row<T>(a.q, from, a.q_stride), a.type, a.q_stride, true};
    const Factor gradient{row<T>(a.out_grad, from, a.out_grad_stride), a.type, a.out_grad_stride, true};
    pack_panels(query, rows, a.dim, tile_rows, left);
    product(left, rows, keys, a.keys, a.dim, scores, s.keys, false);
    pack_panels(gradient, rows, a.dim, tile_rows, left);
    product(left, rows, values, a.keys, a.dim, slopes, s.keys, false);
    for (int64_t i = 0; i < rows; i++)
      softmax_backward(a, from + i, scores + i * s.keys, slopes + i * s.keys, s.keys, a.dropout ? &bits : nullptr);

    pack_panels({slopes, Type::float32, s.keys, true}, rows, a.keys, tile_rows, left);
    product(left, rows, key_columns, a.dim, a.keys, dq, s.width, false);
    store_rows<T>(dq, s.width, rows, a.dim, (T *)a.dq + from * a.dq_stride, a.dq_stride);

    pack_panels({slopes, Type::float32, s.keys, false}, a.keys, rows, tile_rows, down);
    pack_panels({query.data, a.type, a.q_stride, false}, a.dim, rows, W, right);
    product(down, a.keys, right, a.dim, rows, dk, s.width, from > 0);

    pack_panels({scores, Type::float32, s.keys, false}, a.keys, rows, tile_rows, down);
    pack_panels({gradient.data, a.type, a.out_grad_stride, false}, a.dim, rows, W, right);
    product(down, a.keys, right, a.dim, rows, dv, s.width, from > 0);
  }
  store_rows<T>(dk, s.width, a.keys, a.dim, a.dk, a.dk_stride);
  store_rows<T>(dv, s.width, a.keys, a.dim, a.dv, a.dv_stride);
}

static void attend(const AttentionHead &a) {
  by_type(a.type, [&](auto *type) { attend<std::remove_pointer_t<decltype(type)>>(a); });
}

static void attend_backward(const AttentionHead &a) {
  by_type(a.type, [&](auto *type) { attend_backward<std::remove_pointer_t<decltype(type)>>(a); });
}

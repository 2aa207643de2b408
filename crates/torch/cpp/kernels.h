// The inner loops, once for each instruction set and chosen at run time. No torch header here: raw pointers and sizes only.
//
// Whatever a function here computes for one row or one tile does not depend on which thread asked or how work was split.
#pragma once

#include <cstdint>

namespace sagetrain {

enum class Type : int { float32 = 0, bfloat16 = 1, float16 = 2 };

inline int64_t bytes(Type type) { return type == Type::float32 ? 4 : 2; }

// How a product is computed: float32 fused multiply-adds, or dot products of bfloat16 pairs summed in float32.
enum class Compute : int { float32 = 0, bfloat16 = 1 };

enum class Activation : int { none = 0, relu = 1, gelu = 2, swish = 3, gelu_tanh = 4 };

// One factor of a product as rows × depth, where depth is the summed dimension.
// depth_contiguous: element (row, k) is data[row * stride + k]; otherwise data[k * stride + row].
// positive: null, or a tensor of the same layout and type; elements where it is not above zero count as zero (ReLU's gradient).
struct Factor {
  const void *data;
  Type type;
  int64_t stride;
  bool depth_contiguous;
  const void *positive = nullptr;
};

// Where a product goes. Element (row, column) is c[row * stride + column], or c[column * stride + row] if transposed (which takes neither
// bias nor activation).
struct Output {
  void *c;
  Type type;
  int64_t stride;
  bool transposed = false;
  const float *bias = nullptr; // by column
  Activation activation = Activation::none;
  void *before_activation = nullptr; // same layout and type as c; for the gradients of GELU and swish
  bool accumulate = false;           // c += (float32 only)
};

// The cache lines that a tile will be written to, `lines` a row: fetched while the last sums run, else the stores would wait.
struct Target {
  const char *start;
  int64_t stride; // bytes
  int lines;
};

// Philox's key and counter words that stay fixed over one tensor, and dropout's threshold and scale. See src/dropout.rs.
struct DropoutKey {
  uint64_t seed;
  uint64_t step;
  uint32_t stream;
  uint32_t threshold;
  float scale;
};

constexpr int64_t dropout_group = 128; // elements that share 16 counters

// One head of one packed sequence: rows of `dim` elements, strides in elements.
struct AttentionHead {
  Type type;
  int64_t queries, keys, dim;
  const void *q, *k, *v;
  int64_t q_stride, k_stride, v_stride;
  bool causal;
  float scale;
  const DropoutKey *dropout; // null: none
  uint64_t base;             // element of the mask at query 0 and key 0, a multiple of dropout_group
  void *out;
  int64_t out_stride;
  float *log_sums; // [queries] at log_stride: log Σ exp of each query's scores
  int64_t log_stride;
  const void *out_grad;
  int64_t out_grad_stride;
  void *dq, *dk, *dv;
  int64_t dq_stride, dk_stride, dv_stride;
  float *scratch; // attention_scratch() floats, 64-byte aligned
};

// out = dropout(x) + residual over flat elements. bits: one a element, or null; residual may be null.
struct Drop {
  Type type;
  const void *x, *residual;
  void *out;
  const uint8_t *bits;
  float scale;
};

// out = layer_norm(residual + dropout(x)) over rows of `width`; residual, bits, normal and rstd may be null.
struct Norm {
  Type type;
  int64_t width;
  const void *x, *residual;
  const float *gamma, *beta;
  float eps;
  const uint8_t *bits;
  float scale;
  void *out;
  void *normal; // (x - mean) * rstd, for the gradient
  float *rstd;
};

// From the gradient of `out`: of the residual, and of x (null without dropout: then they are the same).
struct NormGradient {
  Type type;
  int64_t width;
  const void *gradient, *normal;
  const float *gamma, *rstd;
  const uint8_t *bits;
  float scale;
  void *residual, *x;
};

struct Embed {
  Type type;
  int64_t width;
  const int64_t *ids, *positions;
  const float *table, *position_table;
  float scale;
  const uint8_t *bits;
  float keep_scale;
  void *out;
};

// table[ids[r]] += scale * dropout(gradient[r])
struct Scatter {
  Type type;
  int64_t tokens, width;
  const int64_t *ids;
  const void *gradient;
  float scale;
  const uint8_t *bits;
  float keep_scale;
  float *table;
};

// Label-smoothed cross-entropy of rows of float32 logits; gradient may be null.
struct Loss {
  float *logits;
  int64_t stride, classes;
  const int64_t *targets;
  double smoothing;
  Type type; // of the gradient
  void *gradient;
  int64_t gradient_stride;
  double *loss, *nll;
  double slope_scale; // multiplies the gradient
};

// One query of `heads` heads of `dim` elements, and keys anywhere: each row of `rows` holds a key and `width` elements later its value.
struct SingleQuery {
  Type type;
  int64_t heads, dim, width, keys;
  const void *q;
  const void *const *rows; // [keys]
  float scale;
  void *out;
  float *scores;  // [keys], scratch
  float *weights; // [keys] += the mean probability over heads; may be null
};

// A column of a row and its value.
struct Entry {
  float value;
  int32_t column;
};

// The best entries of rows of logits, as log-probabilities.
struct Best {
  const float *logits;
  int64_t stride, columns, count;
  const int64_t *excluded;
  int64_t excluded_count;
  Entry *best;        // [rows][count]
  double *log_masses; // [rows]
};

struct Kernels {
  const char *name;
  int width;       // float32 lanes of a vector; rows of a packed panel
  int tile_rows;   // rows of the micro kernel's tile, at most `width`; its columns are 2 * width
  bool bfloat16;   // has Compute::bfloat16

  // --- products ---------------------------------------------------------------------------------------------------------
  // Packs `rows` (at most width) rows from `row`, `depth` elements from `from`, as [units][width] words of 32 bits, where a unit is one
  // float or one pair of bfloat16. Missing rows and the second half of an odd pair are zero. row_sums, if given: [rows] += sum over
  // depth, in order.
  void (*pack)(const Factor &factor, Compute compute, int64_t row, int rows, int64_t from, int64_t depth, uint32_t *out,
               float *row_sums);
  // tile[rows][2 * width] (+)= a[units][width]ᵀ · [b0 b1][units][width].
  void (*multiply)(Compute compute, int rows, int64_t units, const uint32_t *a, const uint32_t *b0, const uint32_t *b1, float *tile,
                   bool accumulate, const Target &target);
  // Adds the bias, activates, converts and stores a tile at (row, column) of the output.
  void (*finish)(const Output &output, const float *tile, int64_t row, int rows, int64_t column, int columns);

  // --- rows and elements, begin..end ------------------------------------------------------------------------------------
  void (*dropout_bits)(const DropoutKey &key, int64_t begin, int64_t end, uint8_t *bits); // groups; bits of the first are at `bits`
  void (*drop)(const Drop &drop, int64_t begin, int64_t end);
  void (*norm_forward)(const Norm &norm, int64_t begin, int64_t end);
  void (*norm_backward)(const NormGradient &gradient, int64_t begin, int64_t end, float *sums); // sums[2][width] +=
  void (*embed)(const Embed &embed, int64_t begin, int64_t end);
  void (*scatter)(const Scatter &scatter, int64_t begin, int64_t end); // columns
  void (*loss)(const Loss &loss, int64_t begin, int64_t end);
  void (*activation_gradient)(Activation activation, Type type, const void *gradient, const void *before, void *out, int64_t begin,
                              int64_t end); // either GELU's or swish's

  // --- attention --------------------------------------------------------------------------------------------------------
  int64_t (*attention_scratch)(int64_t keys, int64_t dim, bool backward);
  void (*attend)(const AttentionHead &head);
  void (*attend_backward)(const AttentionHead &head);

  // --- decoding ---------------------------------------------------------------------------------------------------------
  void (*attend_single)(const SingleQuery &query);
  void (*best)(const Best &best, int64_t begin, int64_t end); // rows
};

// The best set for this processor (SAGETRAIN_CPU=baseline|avx2|avx512 lowers it, for tests).
const Kernels &kernels();

extern const Kernels kernels_baseline, kernels_avx2, kernels_avx512, kernels_avx512_bf16;

} // namespace sagetrain

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

enum class Activation : int { none = 0, relu = 1, gelu = 2 };

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
  void *before_activation = nullptr; // same layout and type as c; for GELU's gradient
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
};

// The best set for this processor (SAGETRAIN_CPU=baseline|avx2|avx512 lowers it, for tests).
const Kernels &kernels();

extern const Kernels kernels_baseline, kernels_avx2, kernels_avx512, kernels_avx512_bf16;

} // namespace sagetrain

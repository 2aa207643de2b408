// The blocking around the micro kernel, after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008).
#include "gemm.h"

#include <c10/core/CPUAllocator.h>

#include <vector>

#include "operation.h"
#include "parallel.h"

namespace sagetrain {

namespace {

constexpr int64_t units_a_block = 512;       // of the depth; a panel of them is 32 KiB
constexpr int64_t words_a_task = 96 * 1024;  // of the packed left factor: it stays in a 1 MiB second-level cache
constexpr int64_t words_in_cache = 192 * 1024; // a right factor below this stays there too, however small the tasks
constexpr int64_t depth_a_fill = 512;
constexpr int64_t depth_a_chunk = 32; // rows of the left factor whose cache lines serve all panels of a task

// One task: some panels of rows of one product, against a range of column panels.
struct Task {
  const Product *product;
  int64_t row, panels, rows_first, rows_rest, wide; // the first `wide` panels have rows_first rows, the others rows_rest
  int64_t pair, pairs;                              // pairs of column panels
};

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

Target target(const Output &c, int64_t row, int64_t column, int64_t columns) {
  const char *start = static_cast<const char *>(c.c) + (row * c.stride + column) * bytes(c.type);
  return {start, c.stride * bytes(c.type), static_cast<int>(ceil_div(columns * bytes(c.type), 64))};
}

void run(const Task &task, const Packed &b) {
  const Kernels &k = kernels();
  const Product &product = *task.product;
  const int64_t block = std::min(units_a_block, b.units), blocks = ceil_div(b.units, block);
  const int64_t tile_words = k.tile_rows * 2 * k.width;
  const int64_t tiles = blocks > 1 ? task.panels * task.pairs : 1;
  uint32_t *left = reinterpret_cast<uint32_t *>(scratch_floats(task.panels * block * k.width + tiles * tile_words));
  float *sums = reinterpret_cast<float *>(left + task.panels * block * k.width);
  const int64_t per_unit = b.compute == Compute::bfloat16 ? 2 : 1;
  for (int64_t unit = 0; unit < b.units; unit += block) {
    const int64_t units = std::min(block, b.units - unit);
    const int64_t depth = std::min(units * per_unit, b.depth - unit * per_unit);
    const int64_t chunk = product.a.depth_contiguous ? depth : depth_a_chunk;
    for (int64_t at = 0; at < depth; at += chunk)
      for (int64_t p = 0, row = task.row; p < task.panels; p++) {
        const int rows = p < task.wide ? task.rows_first : task.rows_rest;
        float *row_sums = product.row_sums && task.pair == 0 ? product.row_sums + row : nullptr;
        uint32_t *out = left + (p * block + at / per_unit) * k.width;
        k.pack(product.a, b.compute, row, rows, unit * per_unit + at, std::min(chunk, depth - at), out, row_sums);
        row += rows;
      }
    for (int64_t pair = task.pair; pair < task.pair + task.pairs; pair++) {
      const int64_t column = pair * 2 * k.width;
      const int columns = std::min<int64_t>(2 * k.width, b.columns - column);
      const uint32_t *low = b.panel(2 * pair, unit), *high = columns > k.width ? b.panel(2 * pair + 1, unit) : low;
      for (int64_t p = 0, row = task.row; p < task.panels; p++) {
        const int rows = p < task.wide ? task.rows_first : task.rows_rest;
        float *tile = sums + (blocks > 1 ? ((pair - task.pair) * task.panels + p) * tile_words : 0);
        const bool last = unit + units == b.units;
        const Target to = last && !product.c.transposed ? target(product.c, row, column, columns) : Target{};
        k.multiply(b.compute, rows, units, left + p * block * k.width, low, high, tile, unit > 0, to);
        if (last) k.finish(product.c, tile, row, rows, column, columns);
        row += rows;
      }
    }
  }
}

// Splits each product's rows into panels of nearly equal size and groups them, so that threads get nearly equal work.
std::vector<Task> plan(std::span<const Product> products, const Packed &b) {
  const Kernels &k = kernels();
  const int64_t threads = at::get_num_threads(), pairs = ceil_div(b.columns, 2 * k.width);
  int64_t all = 0;
  for (const Product &product : products) all += ceil_div(product.rows, k.tile_rows);
  // A right factor that does not stay in the cache is read once a task: then tasks are few and large.
  const bool cached = b.panels() * b.units * k.width <= words_in_cache;
  const int64_t fit = std::max<int64_t>(1, words_a_task / (std::min(b.units, units_a_block) * k.width));
  const int64_t group = std::clamp<int64_t>(ceil_div(all, (cached ? 8 : 2) * threads), 1, std::min<int64_t>(fit, cached ? 4 : fit));
  // Few rows: let the threads share the columns as well.
  const int64_t pieces = std::clamp<int64_t>(2 * threads / std::max<int64_t>(1, all), 1, pairs);
  std::vector<Task> tasks;
  for (const Product &product : products) {
    int64_t panels = ceil_div(product.rows, k.tile_rows);
    if (panels > 1 && product.rows >= threads) panels = std::min(product.rows, ceil_div(panels, threads) * threads);
    int64_t row = 0;
    for (int64_t p = 0; p < panels;) {
      const int64_t count = std::min(group, panels - p), big = product.rows / panels + 1, extra = product.rows % panels;
      const int64_t wide = std::clamp<int64_t>(extra - p, 0, count);
      for (int64_t piece = 0; piece < pieces; piece++) {
        const int64_t from = piece * pairs / pieces, to = (piece + 1) * pairs / pieces;
        tasks.push_back({&product, row, count, big, big - 1, wide, from, to - from});
      }
      row += wide * big + (count - wide) * (big - 1);
      p += count;
    }
  }
  return tasks;
}

} // namespace

Packed::Packed(Compute compute, int64_t columns, int64_t depth)
    : compute(compute), columns(columns), depth(depth), units(compute == Compute::bfloat16 ? ceil_div(depth, 2) : depth),
      width(kernels().width) {
  memory = c10::GetCPUAllocator()->allocate(panels() * units * width * 4);
}

void Packed::fill(const Factor &factor, int64_t column, int64_t count, int64_t at, int64_t length, float *sums) {
  const Kernels &k = kernels();
  const int64_t panels = ceil_div(count, width), chunks = ceil_div(length, depth_a_fill);
  const int64_t per_unit = compute == Compute::bfloat16 ? 2 : 1;
  std::vector<float> partials(sums ? chunks * count : 0);
  parallel(panels * chunks, [&](int64_t task) {
    const int64_t p = task / chunks, chunk = task % chunks, from = chunk * depth_a_fill;
    const int rows = std::min(width, count - p * width);
    uint32_t *out = words() + ((column / width + p) * units + (at + from) / per_unit) * width;
    float *partial = sums ? partials.data() + chunk * count + p * width : nullptr;
    k.pack(factor, compute, p * width, rows, from, std::min(depth_a_fill, length - from), out, partial);
  });
  for (int64_t chunk = 0; sums && chunk < chunks; chunk++)
    for (int64_t i = 0; i < count; i++) sums[i] += partials[chunk * count + i];
}

void multiply(std::span<const Product> products, const Packed &b) {
  TORCH_CHECK(b.units > 0 && b.columns > 0, "a product needs a depth and columns, got ", b.units, " and ", b.columns);
  const std::vector<Task> tasks = plan(products, b);
  parallel(tasks.size(), [&](int64_t task) { run(tasks[task], b); });
}

Compute compute_for(Type type) {
  return type == Type::bfloat16 && kernels().bfloat16 ? Compute::bfloat16 : Compute::float32;
}

} // namespace sagetrain

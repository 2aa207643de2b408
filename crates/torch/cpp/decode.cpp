// Attention of one query a row, over keys and values that stay where earlier steps have left them; and the choice of what follows.
#include <cmath>
#include <vector>

#include "guard.h"
#include "operation.h"
#include "parallel.h"

namespace sagetrain {

namespace {

constexpr int64_t rows_a_task = 8; // neighbours share their past, or their source

// Runs body(row) for every row of q, its keys found by `locate(row, pointers)`, which returns how many there are.
template <typename Locate>
at::Tensor attend_rows(const at::Tensor &query, int64_t heads, int64_t most_keys, float *weights, const Locate &locate) {
  const at::Tensor q = row_major(query);
  const int64_t rows = q.size(0), width = q.size(1), size = q.element_size();
  at::Tensor out = at::empty({rows, width}, q.options());
  parallel_blocks(rows, rows_a_task, [&](int64_t begin, int64_t end) {
    std::vector<const void *> pointers(most_keys);
    for (int64_t row = begin; row < end; row++) {
      int64_t weights_at = 0;
      SingleQuery call{type_of(q), heads, width / heads, width, locate(row, pointers.data(), weights_at)};
      call.q = static_cast<const char *>(q.data_ptr()) + row * q.stride(0) * size;
      call.rows = pointers.data();
      call.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(call.dim)));
      call.out = static_cast<char *>(out.data_ptr()) + row * width * size;
      call.scores = scratch_floats(most_keys);
      call.weights = weights ? weights + weights_at : nullptr;
      kernels().attend_single(call);
    }
  });
  return out;
}

} // namespace

} // namespace sagetrain

using namespace sagetrain;

// Row i of q attends to row ancestors[i][t] of blocks[t], for every t; a block is [rows then, 2 width], keys before values.
SAGETRAIN_EXPORT sagetrain_status sagetrain_attend_history(void *q, void *const *blocks, int64_t steps, const int32_t *ancestors, int64_t heads,
                                                           void **out) {
  return guard([&] {
    std::vector<const char *> starts;
    for (int64_t t = 0; t < steps; t++) starts.push_back(static_cast<const char *>(tensor_at(blocks[t]).data_ptr()));
    const int64_t bytes = tensor_at(blocks[0]).size(1) * tensor_at(blocks[0]).element_size();
    *out = release(attend_rows(tensor_at(q), heads, steps, nullptr, [&](int64_t row, const void **pointers, int64_t &) {
      for (int64_t t = 0; t < steps; t++) pointers[t] = starts[t] + ancestors[row * steps + t] * bytes;
      return steps;
    }));
  });
}

// The rows of each source attend to its keys, [source tokens, 2 width]. weights, if given, are zero: each row's keys after the row
// before's, += the mean probability over heads.
SAGETRAIN_EXPORT sagetrain_status sagetrain_attend_memory(void *q, void *memory, const int64_t *row_sources, const int64_t *key_offsets,
                                                          int64_t most_keys, int64_t heads, const int64_t *weight_offsets, float *weights,
                                                          void **out) {
  return guard([&] {
    const at::Tensor &keys = tensor_at(memory);
    const char *start = static_cast<const char *>(keys.data_ptr());
    const int64_t bytes = keys.size(1) * keys.element_size();
    *out = release(attend_rows(tensor_at(q), heads, most_keys, weights, [&](int64_t row, const void **pointers, int64_t &weights_at) {
      const int64_t first = key_offsets[row_sources[row]], count = key_offsets[row_sources[row] + 1] - first;
      for (int64_t i = 0; i < count; i++) pointers[i] = start + (first + i) * bytes;
      if (weights) weights_at = weight_offsets[row];
      return count;
    }));
  });
}

// The `count` largest log-probabilities of every row of float32 logits, largest first, the `excluded` columns left out; a column of -1
// where a row has no more. log_masses: [rows], what was taken from a logit to make its log-probability.
SAGETRAIN_EXPORT sagetrain_status sagetrain_best(void *logits, int64_t count, const int64_t *excluded, int64_t excluded_count, void *entries,
                                                 double *log_masses) {
  return guard([&] {
    const at::Tensor rows = row_major(tensor_at(logits));
    const Best call{rows.data_ptr<float>(), rows.stride(0), rows.size(1), count, excluded, excluded_count, static_cast<Entry *>(entries),
                    log_masses};
    parallel_blocks(rows.size(0), 4, [&](int64_t begin, int64_t end) { kernels().best(call, begin, end); });
  });
}

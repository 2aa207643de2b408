// Multi-head attention over packed sequences: one task a sequence and head, forward and backward.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "guard.h"
#include "kernels.h"
#include "operation.h"
#include "parallel.h"

namespace sagetrain {

namespace {

// Where queries, keys and values lie: a tensor each, and the column they begin at. Several may be the same tensor.
struct Sources {
  at::Tensor q, k, v;
  int64_t q_column, k_column, v_column;
};

struct Layout : torch::CustomClassHolder {
  std::vector<int64_t> query_offsets, key_offsets;
  int64_t heads, width;
  bool causal;
  std::optional<DropoutKey> dropout;

  int64_t sequences() const { return static_cast<int64_t>(query_offsets.size()) - 1; }
};

int64_t padded_mask(int64_t queries, int64_t keys) {
  int64_t elements = queries * ((keys + 15) / 16 * 16);
  return (elements + dropout_group - 1) / dropout_group * dropout_group;
}

// The element of the mask at which each sequence's first head begins.
std::vector<uint64_t> mask_bases(const Layout &layout) {
  std::vector<uint64_t> bases{0};
  for (int64_t s = 0; s < layout.sequences(); s++) {
    int64_t queries = layout.query_offsets[s + 1] - layout.query_offsets[s], keys = layout.key_offsets[s + 1] - layout.key_offsets[s];
    bases.push_back(bases.back() + layout.heads * padded_mask(queries, keys));
  }
  return bases;
}

// A row and column of a tensor with rows of stride(0) elements.
template <typename Pointer> Pointer at_element(const at::Tensor &tensor, int64_t row, int64_t column) {
  return reinterpret_cast<Pointer>(static_cast<char *>(tensor.data_ptr()) + (row * tensor.stride(0) + column) * tensor.element_size());
}

AttentionHead head_of(const Layout &layout, const Sources &from, const std::vector<uint64_t> &bases, const at::Tensor &log_sums, int64_t task) {
  const int64_t s = task / layout.heads, h = task % layout.heads, dim = layout.width / layout.heads;
  const int64_t query = layout.query_offsets[s], key = layout.key_offsets[s];
  AttentionHead head{};
  head.type = type_of(from.q);
  head.queries = layout.query_offsets[s + 1] - query;
  head.keys = layout.key_offsets[s + 1] - key;
  head.dim = dim;
  head.q = at_element<const void *>(from.q, query, from.q_column + h * dim), head.q_stride = from.q.stride(0);
  head.k = at_element<const void *>(from.k, key, from.k_column + h * dim), head.k_stride = from.k.stride(0);
  head.v = at_element<const void *>(from.v, key, from.v_column + h * dim), head.v_stride = from.v.stride(0);
  head.causal = layout.causal;
  head.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(dim)));
  head.dropout = layout.dropout ? &*layout.dropout : nullptr;
  head.base = bases[s] + h * padded_mask(head.queries, head.keys);
  head.log_sums = log_sums.data_ptr<float>() + query * layout.heads + h, head.log_stride = layout.heads;
  return head;
}

// Runs `body(head)` for every sequence and head, each with scratch memory of its thread.
template <typename Body>
void each_head(const Layout &layout, const Sources &from, const at::Tensor &log_sums, bool backward, const Body &body) {
  const std::vector<uint64_t> bases = mask_bases(layout);
  int64_t longest = 0;
  for (int64_t s = 0; s < layout.sequences(); s++) longest = std::max(longest, layout.key_offsets[s + 1] - layout.key_offsets[s]);
  const int64_t floats = kernels().attention_scratch(longest, layout.width / layout.heads, backward);
  parallel(layout.sequences() * layout.heads, [&](int64_t task) {
    AttentionHead head = head_of(layout, from, bases, log_sums, task);
    head.scratch = scratch_floats(floats);
    body(head, task);
  });
}

at::Tensor forward_of(const Layout &layout, const Sources &from, at::Tensor &log_sums) {
  const int64_t rows = from.q.size(0), dim = layout.width / layout.heads;
  at::Tensor out = at::empty({rows, layout.width}, from.q.options().requires_grad(false));
  log_sums = at::empty({rows, layout.heads}, from.q.options().dtype(at::kFloat).requires_grad(false));
  each_head(layout, from, log_sums, false, [&](AttentionHead &head, int64_t task) {
    head.out = at_element<void *>(out, layout.query_offsets[task / layout.heads], task % layout.heads * dim);
    head.out_stride = layout.width;
    kernels().attend(head);
  });
  return out;
}

// A gradient for each distinct source; columns that belong to neither queries, keys nor values stay zero.
std::array<at::Tensor, 3> gradient_buffers(const Sources &from, int64_t width) {
  const std::array<at::Tensor, 3> sources{from.q, from.k, from.v};
  std::array<at::Tensor, 3> grads;
  for (int i = 0; i < 3; i++) {
    int64_t covered = 0;
    for (int j = 0; j < 3; j++) {
      if (!sources[i].is_same(sources[j])) continue;
      covered += width;
      if (j < i) grads[i] = grads[j];
    }
    if (grads[i].defined()) continue;
    const auto options = sources[i].options().requires_grad(false);
    grads[i] = covered == sources[i].size(1) ? at::empty(sources[i].sizes(), options) : at::zeros(sources[i].sizes(), options);
  }
  return grads;
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(torch::autograd::AutogradContext *ctx, const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
                            std::vector<int64_t> columns, c10::intrusive_ptr<Layout> layout) {
    at::Tensor log_sums;
    at::Tensor out = forward_of(*layout, {q, k, v, columns[0], columns[1], columns[2]}, log_sums);
    ctx->save_for_backward({q, k, v, log_sums});
    ctx->saved_data["columns"] = columns;
    ctx->saved_data["layout"] = c10::IValue::make_capsule(std::move(layout));
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto columns = ctx->saved_data["columns"].toIntVector();
    const auto held = ctx->saved_data["layout"].toCapsule();
    const Layout &layout = static_cast<const Layout &>(*held);
    const Sources from{saved[0], saved[1], saved[2], columns[0], columns[1], columns[2]};
    const at::Tensor out_grad = grads[0].contiguous();
    auto [dq, dk, dv] = gradient_buffers(from, layout.width);
    const int64_t dim = layout.width / layout.heads;
    each_head(layout, from, saved[3], true, [&](AttentionHead &head, int64_t task) {
      const int64_t s = task / layout.heads, column = task % layout.heads * dim;
      const int64_t query = layout.query_offsets[s], key = layout.key_offsets[s];
      head.out_grad = at_element<const void *>(out_grad, query, column), head.out_grad_stride = layout.width;
      head.dq = at_element<void *>(dq, query, from.q_column + column), head.dq_stride = dq.stride(0);
      head.dk = at_element<void *>(dk, key, from.k_column + column), head.dk_stride = dk.stride(0);
      head.dv = at_element<void *>(dv, key, from.v_column + column), head.dv_stride = dv.stride(0);
      kernels().attend_backward(head);
    });
    // A source given several times gets its whole gradient once.
    const bool k_is_q = from.k.is_same(from.q), v_is_before = from.v.is_same(from.q) || from.v.is_same(from.k);
    return {dq, k_is_q ? at::Tensor() : dk, v_is_before ? at::Tensor() : dv, at::Tensor(), at::Tensor()};
  }
};

at::Tensor rows_of(const at::Tensor &tensor) {
  return tensor.stride(1) == 1 ? tensor : tensor.contiguous();
}

} // namespace

} // namespace sagetrain

using namespace sagetrain;

SAGETRAIN_EXPORT sagetrain_status sagetrain_attention(void *q, void *k, void *v, const int64_t *columns, int64_t width,
                                                      const int64_t *query_offsets, const int64_t *key_offsets, int64_t offsets,
                                                      int64_t heads, int32_t causal, const sagetrain_dropout *dropout, void **out) {
  return guard([&] {
    auto layout = c10::make_intrusive<Layout>();
    layout->query_offsets.assign(query_offsets, query_offsets + offsets);
    layout->key_offsets.assign(key_offsets, key_offsets + offsets);
    layout->heads = heads, layout->width = width, layout->causal = causal != 0;
    layout->dropout = dropout_key(dropout);
    const at::Tensor first = rows_of(tensor_at(q));
    const at::Tensor second = k == q ? first : rows_of(tensor_at(k));
    const at::Tensor third = v == q ? first : v == k ? second : rows_of(tensor_at(v));
    std::vector<int64_t> starts(columns, columns + 3);
    *out = release(Attention::apply(first, second, third, std::move(starts), std::move(layout)));
  });
}

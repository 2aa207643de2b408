// Token embeddings with positions, and the gradient of their tables.
#include <torch/csrc/autograd/custom_function.h>

#include "dropout.h"
#include "guard.h"
#include "parallel.h"

namespace sagetrain {

namespace {

constexpr int64_t rows_a_task = 64;
constexpr int64_t columns_a_task = 32; // a task adds all tokens' gradients in these columns: no two tasks meet

void check_range(const char *name, const at::Tensor &ids, int64_t rows) {
  const int64_t *id = ids.data_ptr<int64_t>();
  for (int64_t i = 0; i < ids.numel(); i++)
    TORCH_CHECK(id[i] >= 0 && id[i] < rows, name, "[", i, "] is ", id[i], ", expected 0 to ", rows - 1);
}

at::Tensor scattered(const at::Tensor &gradient, const at::Tensor &ids, int64_t rows, double scale, const at::Tensor &bits, float keep) {
  const int64_t width = gradient.size(1);
  at::Tensor table = at::zeros({rows, width}, at::kFloat);
  const Scatter call{type_of(gradient), ids.numel(), width, ids.data_ptr<int64_t>(), gradient.data_ptr(), static_cast<float>(scale),
                     data_of(bits), keep, table.data_ptr<float>()};
  parallel_blocks(width, columns_a_task, [&](int64_t begin, int64_t end) { kernels().scatter(call, begin, end); });
  return table;
}

struct Embedding : torch::autograd::Function<Embedding> {
  static at::Tensor forward(torch::autograd::AutogradContext *ctx, const at::Tensor &table, const at::Tensor &position_table, const at::Tensor &ids,
                            const at::Tensor &positions, double scale, Type type, std::optional<DropoutKey> dropout, int64_t fixed_row) {
    const int64_t tokens = ids.numel(), width = table.size(1);
    at::Tensor out = at::empty({tokens, width}, scalar_type(type)), bits = dropout_bits(dropout, tokens * width);
    const at::Tensor rows = table.contiguous(), position_rows = position_table.contiguous();
    const float keep = dropout ? dropout->scale : 1.0f;
    const Embed call{type, width, ids.data_ptr<int64_t>(), positions.data_ptr<int64_t>(), rows.data_ptr<float>(),
                     position_rows.data_ptr<float>(), static_cast<float>(scale), data_of(bits), keep, out.data_ptr()};
    parallel_blocks(tokens, rows_a_task, [&](int64_t begin, int64_t end) { kernels().embed(call, begin, end); });
    ctx->save_for_backward({ids, positions, bits});
    ctx->saved_data["rows"] = table.size(0);
    ctx->saved_data["position_rows"] = position_table.size(0);
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["fixed_row"] = fixed_row;
    ctx->saved_data["keep"] = static_cast<double>(keep);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor gradient = grads[0].contiguous();
    const float keep = ctx->saved_data["keep"].toDouble();
    torch::autograd::variable_list results(8);
    if (ctx->needs_input_grad(0)) {
      results[0] = scattered(gradient, saved[0], ctx->saved_data["rows"].toInt(), ctx->saved_data["scale"].toDouble(), saved[2], keep);
      fix_row(results[0], ctx->saved_data["fixed_row"].toInt());
    }
    if (ctx->needs_input_grad(1))
      results[1] = scattered(gradient, saved[1], ctx->saved_data["position_rows"].toInt(), 1.0, saved[2], keep);
    return results;
  }
};

} // namespace

} // namespace sagetrain

using namespace sagetrain;

SAGETRAIN_EXPORT sagetrain_status sagetrain_embed(void *ids, void *positions, void *table, int64_t fixed_row, void *position_table,
                                                  double scale, int32_t precision, const sagetrain_dropout *dropout, void **out) {
  return guard([&] {
    const at::Tensor id = tensor_at(ids).contiguous(), position = tensor_at(positions).contiguous();
    const at::Tensor &rows = tensor_at(table), &position_rows = tensor_at(position_table);
    check_range("ids", id, rows.size(0));
    check_range("positions", position, position_rows.size(0));
    *out = release(Embedding::apply(rows, position_rows, id, position, scale, static_cast<Type>(precision), dropout_key(dropout), fixed_row));
  });
}

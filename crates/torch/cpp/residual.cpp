// Dropout, the residual connection and layer norm: one pass over the rows forward, one backward.
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "dropout.h"
#include "guard.h"
#include "parallel.h"

namespace sagetrain {

namespace {

constexpr int64_t rows_a_block = 32;      // of the sums for gamma and beta: fixed, so that their order is
constexpr int64_t elements_a_task = 8192; // of flat loops

// out = dropout(x) + residual; residual may be undefined.
at::Tensor dropped(const at::Tensor &x, const at::Tensor &residual, const at::Tensor &bits, float scale) {
  at::Tensor out = at::empty_like(x);
  const Drop call{type_of(x), x.data_ptr(), residual.defined() ? residual.data_ptr() : nullptr, out.data_ptr(), data_of(bits), scale};
  parallel_blocks(x.numel(), elements_a_task, [&](int64_t begin, int64_t end) { kernels().drop(call, begin, end); });
  return out;
}

struct DropAdd : torch::autograd::Function<DropAdd> {
  // tensors: x and perhaps the residual.
  static at::Tensor forward(torch::autograd::AutogradContext *ctx, at::TensorList tensors, std::optional<DropoutKey> dropout) {
    const at::Tensor x = tensors[0].contiguous(), residual = tensors.size() > 1 ? tensors[1].contiguous() : at::Tensor();
    const at::Tensor bits = dropout_bits(dropout, x.numel());
    const float scale = dropout ? dropout->scale : 1.0f;
    ctx->save_for_backward({bits});
    ctx->saved_data["scale"] = static_cast<double>(scale);
    ctx->saved_data["inputs"] = static_cast<int64_t>(tensors.size());
    return dropped(x, residual, bits, scale);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx, torch::autograd::variable_list grads) {
    const at::Tensor bits = ctx->get_saved_variables()[0], gradient = grads[0].contiguous();
    const float scale = ctx->saved_data["scale"].toDouble();
    torch::autograd::variable_list results{bits.defined() ? dropped(gradient, {}, bits, scale) : gradient};
    if (ctx->saved_data["inputs"].toInt() > 1) results.push_back(gradient);
    results.emplace_back();
    return results;
  }
};

struct LayerNorm : torch::autograd::Function<LayerNorm> {
  // tensors: gamma, beta, x and perhaps the residual.
  static at::Tensor forward(torch::autograd::AutogradContext *ctx, at::TensorList tensors, double eps, std::optional<DropoutKey> dropout,
                            bool training) {
    const at::Tensor gamma = tensors[0].contiguous(), beta = tensors[1].contiguous(), x = tensors[2].contiguous();
    const at::Tensor residual = tensors.size() > 3 ? tensors[3].contiguous() : at::Tensor();
    const int64_t rows = x.size(0), width = x.size(1);
    const at::Tensor bits = dropout_bits(dropout, x.numel());
    const float scale = dropout ? dropout->scale : 1.0f;
    at::Tensor out = at::empty_like(x), normal, rstd;
    if (training) normal = at::empty_like(x), rstd = at::empty({rows}, at::kFloat);
    const Norm call{type_of(x), width, x.data_ptr(), residual.defined() ? residual.data_ptr() : nullptr, gamma.data_ptr<float>(),
                    beta.data_ptr<float>(), static_cast<float>(eps), data_of(bits), scale, out.data_ptr(),
                    training ? normal.data_ptr() : nullptr, training ? rstd.data_ptr<float>() : nullptr};
    parallel_blocks(rows, rows_a_block, [&](int64_t begin, int64_t end) { kernels().norm_forward(call, begin, end); });
    if (training) {
      ctx->save_for_backward({gamma, normal, rstd, bits});
      ctx->saved_data["scale"] = static_cast<double>(scale);
      ctx->saved_data["inputs"] = static_cast<int64_t>(tensors.size());
    }
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &gamma = saved[0], &normal = saved[1], &rstd = saved[2], &bits = saved[3];
    const at::Tensor gradient = grads[0].contiguous();
    const int64_t rows = normal.size(0), width = normal.size(1), blocks = (rows + rows_a_block - 1) / rows_a_block;
    at::Tensor residual = at::empty_like(normal), x = bits.defined() ? at::empty_like(normal) : residual;
    const NormGradient call{type_of(normal), width, gradient.data_ptr(), normal.data_ptr(), gamma.data_ptr<float>(), rstd.data_ptr<float>(),
                            data_of(bits), static_cast<float>(ctx->saved_data["scale"].toDouble()), residual.data_ptr(),
                            bits.defined() ? x.data_ptr() : nullptr};
    at::Tensor partial = at::empty({blocks, 2 * width}, at::kFloat);
    float *sums = partial.data_ptr<float>();
    parallel_blocks(rows, rows_a_block, [&](int64_t begin, int64_t end) {
      float *own = sums + begin / rows_a_block * 2 * width;
      std::fill_n(own, 2 * width, 0.0f);
      kernels().norm_backward(call, begin, end, own);
    });
    torch::autograd::variable_list results{at::zeros({width}, at::kFloat), at::zeros({width}, at::kFloat), x};
    add_blocks(sums, blocks, width, results[0].data_ptr<float>(), results[1].data_ptr<float>());
    if (ctx->saved_data["inputs"].toInt() > 3) results.push_back(residual);
    results.resize(results.size() + 3);
    return results;
  }

  // Block after block, so that the sums' order does not depend on who made the blocks.
  static void add_blocks(const float *sums, int64_t blocks, int64_t width, float *gamma, float *beta) {
    for (int64_t b = 0; b < blocks; b++, sums += 2 * width)
      for (int64_t j = 0; j < width; j++) gamma[j] += sums[j], beta[j] += sums[width + j];
  }
};

bool training(at::TensorList tensors) {
  if (!at::GradMode::is_enabled()) return false;
  for (const at::Tensor &tensor : tensors)
    if (tensor.requires_grad()) return true;
  return false;
}

} // namespace

} // namespace sagetrain

using namespace sagetrain;

// dropout(x) + residual; residual may be null.
SAGETRAIN_EXPORT sagetrain_status sagetrain_drop_add(void *x, void *residual, const sagetrain_dropout *dropout, void **out) {
  return guard([&] {
    std::vector<at::Tensor> tensors{tensor_at(x)};
    if (residual) tensors.push_back(tensor_at(residual));
    *out = release(DropAdd::apply(at::TensorList(tensors), dropout_key(dropout)));
  });
}

// layer_norm(dropout(x) + residual); residual may be null.
SAGETRAIN_EXPORT sagetrain_status sagetrain_layer_norm(void *x, void *residual, void *gamma, void *beta, double eps,
                                                       const sagetrain_dropout *dropout, void **out) {
  return guard([&] {
    std::vector<at::Tensor> tensors{tensor_at(gamma), tensor_at(beta), tensor_at(x)};
    if (residual) tensors.push_back(tensor_at(residual));
    *out = release(LayerNorm::apply(at::TensorList(tensors), eps, dropout_key(dropout), training(tensors)));
  });
}

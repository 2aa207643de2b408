// Fully connected layers of one input in one product, with their gradients.
#include "linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "guard.h"
#include "parallel.h"

namespace sagetrain {

namespace {

// What the forward pass knows and the backward pass needs, besides tensors.
struct Call {
  Activation activation;
  Type precision;
  int64_t layers;
  int64_t biased; // bit i: layer i has a bias
};

// Tensors go through autograd as one list: x, the weights, the biases that there are.
struct Arguments {
  at::Tensor x;
  std::vector<at::Tensor> weights, biases; // an undefined bias where there is none

  Arguments(const Call &call, at::TensorList tensors) : x(row_major(tensors[0])) {
    size_t next = 1 + call.layers;
    for (int64_t i = 0; i < call.layers; i++) {
      weights.push_back(tensors[1 + i].contiguous());
      biases.push_back(call.biased >> i & 1 ? tensors[next++] : at::Tensor());
    }
  }
};

// Layers side by side as one matrix [Σ out, in]; what panels and pairs cannot take piece by piece is copied together.
struct Stack {
  std::vector<at::Tensor> pieces;
  int64_t rows = 0, columns;

  explicit Stack(const std::vector<at::Tensor> &weights) : pieces(weights), columns(weights[0].size(1)) {
    bool aligned = true;
    for (const at::Tensor &weight : weights) {
      aligned = aligned && rows % kernels().width == 0;
      rows += weight.size(0);
    }
    if (!aligned) pieces = {at::cat(weights)};
  }
};

Packed pack_for_forward(const Stack &stack, Compute compute) {
  Packed packed(compute, stack.rows, stack.columns);
  int64_t row = 0;
  for (const at::Tensor &piece : stack.pieces) {
    packed.fill(factor(piece, true), row, piece.size(0), 0, stack.columns);
    row += piece.size(0);
  }
  return packed;
}

Packed pack_for_input_gradient(const Stack &stack, Compute compute) {
  Packed packed(compute, stack.columns, stack.rows);
  int64_t row = 0;
  for (const at::Tensor &piece : stack.pieces) {
    packed.fill(factor(piece, false), 0, stack.columns, row, piece.size(0));
    row += piece.size(0);
  }
  return packed;
}

at::Tensor joined(const Arguments &arguments, int64_t columns, bool any) {
  if (!any) return {};
  if (arguments.biases.size() == 1) return arguments.biases[0].contiguous();
  at::Tensor bias = at::zeros({columns}, at::kFloat);
  int64_t column = 0;
  for (size_t i = 0; i < arguments.biases.size(); i++) {
    const int64_t out = arguments.weights[i].size(0);
    if (arguments.biases[i].defined()) bias.narrow(0, column, out).copy_(arguments.biases[i]);
    column += out;
  }
  return bias;
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(torch::autograd::AutogradContext *ctx, at::TensorList tensors, Call call, bool training) {
    const Arguments arguments(call, tensors);
    const Stack stack(arguments.weights);
    const int64_t tokens = arguments.x.size(0);
    const auto options = arguments.x.options().requires_grad(false).dtype(scalar_type(call.precision));
    at::Tensor y = at::empty({tokens, stack.rows}, options), before;
    if (needs_input(call.activation) && training) before = at::empty_like(y);
    if (stack.columns == 0) y.zero_();
    if (tokens && stack.rows && stack.columns) {
      const at::Tensor bias = joined(arguments, stack.rows, call.biased != 0);
      Output output{y.data_ptr(), call.precision, stack.rows};
      output.bias = bias.defined() ? bias.data_ptr<float>() : nullptr;
      output.activation = call.activation;
      output.before_activation = before.defined() ? before.data_ptr() : nullptr;
      const Product product{factor(arguments.x, true), tokens, output};
      multiply({&product, 1}, pack_for_forward(stack, compute_for(call.precision)));
    }
    if (training) {
      torch::autograd::variable_list saved(tensors.begin(), tensors.begin() + 1 + call.layers);
      if (call.activation == Activation::relu) saved.push_back(y);
      if (before.defined()) saved.push_back(before);
      ctx->save_for_backward(std::move(saved));
      ctx->saved_data["call"] = std::vector<int64_t>{static_cast<int64_t>(call.activation), static_cast<int64_t>(call.precision),
                                                     call.layers, call.biased};
    }
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx, torch::autograd::variable_list grads) {
    const auto numbers = ctx->saved_data["call"].toIntVector();
    const Call call{static_cast<Activation>(numbers[0]), static_cast<Type>(numbers[1]), numbers[2], numbers[3]};
    const auto saved = ctx->get_saved_variables();
    const at::Tensor x = row_major(saved[0]);
    std::vector<at::Tensor> weights;
    for (int64_t i = 0; i < call.layers; i++) weights.push_back(saved[1 + i].contiguous());
    at::Tensor gradient = grads[0].contiguous();
    const void *positive = nullptr;
    if (call.activation == Activation::relu) positive = saved.back().data_ptr();
    if (needs_input(call.activation)) gradient = activation_gradient(call.activation, gradient, saved.back());

    torch::autograd::variable_list results(grads_of(call));
    if (ctx->needs_input_grad(0)) results[0] = input_gradient(gradient, positive, Stack(weights), x, call.precision);
    bool wanted = false;
    for (size_t i = 1; i < results.size() - 2; i++) wanted = wanted || ctx->needs_input_grad(i);
    if (wanted) weight_gradients(gradient, positive, x, weights, call, results);
    return results;
  }

  // One a tensor, and one for each of the two arguments that are none.
  static size_t grads_of(const Call &call) { return 1 + call.layers + __builtin_popcountll(call.biased) + 2; }

  // ReLU's gradient can be told from what came out of it, these need what went in.
  static bool needs_input(Activation activation) { return activation != Activation::none && activation != Activation::relu; }

  static at::Tensor activation_gradient(Activation activation, const at::Tensor &gradient, const at::Tensor &before) {
    at::Tensor out = at::empty_like(gradient);
    parallel_blocks(gradient.numel(), 16384, [&](int64_t begin, int64_t end) {
      kernels().activation_gradient(activation, type_of(gradient), gradient.data_ptr(), before.data_ptr(), out.data_ptr(), begin, end);
    });
    return out;
  }

  static at::Tensor input_gradient(const at::Tensor &gradient, const void *positive, const Stack &stack, const at::Tensor &x, Type precision) {
    at::Tensor out = at::empty({x.size(0), stack.columns}, x.options());
    if (!out.numel()) return out;
    if (!stack.rows) return out.zero_();
    Factor a = factor(gradient, true);
    a.positive = positive;
    const Product product{a, x.size(0), {out.data_ptr(), type_of(x), stack.columns}};
    multiply({&product, 1}, pack_for_input_gradient(stack, compute_for(precision)));
    return out;
  }

  static void weight_gradients(const at::Tensor &gradient, const void *positive, const at::Tensor &x, const std::vector<at::Tensor> &weights,
                               const Call &call, torch::autograd::variable_list &results) {
    const int64_t tokens = x.size(0), in = x.size(1);
    std::vector<float *> sums;
    for (int64_t i = 0, next = 1 + call.layers; i < call.layers; i++) {
      results[1 + i] = tokens ? at::empty_like(weights[i]) : at::zeros_like(weights[i]);
      const bool biased = call.biased >> i & 1;
      if (biased) results[next] = at::zeros({weights[i].size(0)}, at::kFloat);
      sums.push_back(biased ? results[next++].data_ptr<float>() : nullptr);
    }
    if (!tokens || !in || !gradient.size(1)) return;
    Factor dy = factor(gradient, false);
    dy.positive = positive;
    const Compute compute = compute_for(call.precision);
    if (call.layers == 1 && gradient.size(1) < in) { // the smaller factor is the one that all tasks read
      Packed packed(compute, gradient.size(1), tokens);
      packed.fill(dy, 0, gradient.size(1), 0, tokens, sums[0]);
      const Product product{factor(x, false), in, {results[1].data_ptr(), Type::float32, in, true}};
      return multiply({&product, 1}, packed);
    }
    Packed packed(compute, in, tokens);
    packed.fill(factor(x, false), 0, in, 0, tokens);
    std::vector<Product> products;
    for (int64_t i = 0, column = 0; i < call.layers; i++) {
      const int64_t out = weights[i].size(0);
      products.push_back({from_row(dy, column), out, {results[1 + i].data_ptr(), Type::float32, in}, sums[i]});
      column += out;
    }
    multiply(products, packed);
  }
};

} // namespace

Factor factor(const at::Tensor &matrix, bool depth_contiguous) {
  return {matrix.data_ptr(), type_of(matrix), matrix.stride(0), depth_contiguous};
}

Factor from_row(Factor factor, int64_t row) {
  const int64_t offset = (factor.depth_contiguous ? row * factor.stride : row) * bytes(factor.type);
  factor.data = static_cast<const char *>(factor.data) + offset;
  if (factor.positive) factor.positive = static_cast<const char *>(factor.positive) + offset;
  return factor;
}

} // namespace sagetrain

using namespace sagetrain;

SAGETRAIN_EXPORT sagetrain_status sagetrain_linear(void *x, void *const *weights, void *const *biases, int64_t layers, int32_t activation,
                                                   int32_t precision, void **out) {
  return guard([&] {
    Call call{static_cast<Activation>(activation), static_cast<Type>(precision), layers, 0};
    std::vector<at::Tensor> tensors{tensor_at(x)};
    for (int64_t i = 0; i < layers; i++) tensors.push_back(tensor_at(weights[i]));
    for (int64_t i = 0; i < layers; i++) {
      if (!biases[i]) continue;
      call.biased |= int64_t{1} << i;
      tensors.push_back(tensor_at(biases[i]));
    }
    bool training = false;
    for (const at::Tensor &tensor : tensors) training = training || tensor.requires_grad();
    *out = release(Linear::apply(at::TensorList(tensors), call, training && at::GradMode::is_enabled()));
  });
}

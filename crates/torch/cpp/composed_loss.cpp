// loss.cpp's function as a composition of ATen's operations, for tensors on any device: chunk by chunk too, and nothing is read back.
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "guard.h"
#include "operation.h"

namespace sagetrain {

namespace {

constexpr int64_t logits_a_chunk = 32 << 20; // 128 MiB of float32

struct Problem {
  at::Tensor hidden, table, bias, targets; // bias may be undefined
  int64_t fixed_row;
  double smoothing;
  at::ScalarType precision;
  double loss_scale;
};

struct Result {
  at::Tensor loss, nll, hidden, table, bias;
};

// Sums of `rows` rows from `row` on; with gradients wanted they go into `result`.
void add_chunk(const Problem &p, const at::Tensor &table, int64_t row, int64_t rows, bool training, Result &result) {
  const at::Tensor hidden = p.hidden.narrow(0, row, rows).to(p.precision), target = p.targets.narrow(0, row, rows).unsqueeze(1);
  at::Tensor logits = hidden.mm(table.t()).to(at::kFloat); // [rows, classes]
  if (p.bias.defined()) logits = logits + p.bias;
  const int64_t classes = logits.size(1);
  const double spread = p.smoothing / std::max<int64_t>(classes - 1, 1), rest = 1.0 - p.smoothing - spread;
  const at::Tensor log_mass = logits.logsumexp(1, true), nll = (log_mass - logits.gather(1, target)).sum();
  result.nll += nll;
  result.loss += nll * rest;
  if (spread != 0) result.loss += (log_mass * classes - logits.sum(1, true)).sum() * spread;
  if (!training) return;
  at::Tensor slopes = (logits - log_mass).exp_();
  slopes.scatter_add_(1, target, at::full_like(target, -rest, slopes.options()));
  slopes = slopes.sub_(spread).mul_(p.loss_scale);
  if (p.bias.defined()) result.bias += slopes.sum(0);
  slopes = slopes.to(p.precision);
  result.hidden.narrow(0, row, rows).copy_(slopes.mm(table));
  result.table += slopes.t().mm(hidden);
}

Result run(const Problem &p, bool training) {
  const auto options = p.table.options();
  Result result{at::zeros({}, options), at::zeros({}, options), {}, {}, {}};
  if (training) {
    result.hidden = at::empty_like(p.hidden), result.table = at::zeros_like(p.table);
    result.bias = at::zeros({p.bias.defined() ? p.table.size(0) : 0}, options);
  }
  const at::Tensor table = p.table.to(p.precision);
  const int64_t tokens = p.hidden.size(0), most = std::max<int64_t>(logits_a_chunk / p.table.size(0), 1);
  for (int64_t row = 0; row < tokens; row += most) add_chunk(p, table, row, std::min(most, tokens - row), training, result);
  if (training) fix_row(result.table, p.fixed_row);
  return result;
}

struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *ctx, at::TensorList tensors, const Problem &problem,
                                                bool training) {
    const Result result = run(problem, training);
    ctx->mark_non_differentiable({result.nll});
    ctx->saved_data["inputs"] = static_cast<int64_t>(tensors.size());
    ctx->saved_data["loss_scale"] = problem.loss_scale;
    if (training) ctx->save_for_backward({result.hidden, result.table, result.bias});
    return {result.loss, result.nll};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx, torch::autograd::variable_list grads) {
    const size_t inputs = ctx->saved_data["inputs"].toInt();
    torch::autograd::variable_list results = ctx->get_saved_variables();
    results.resize(inputs);
    const at::Tensor scale = grads[0] / ctx->saved_data["loss_scale"].toDouble();
    for (at::Tensor &gradient : results) gradient = (gradient * scale).to(gradient.scalar_type());
    results.resize(inputs + 2);
    return results;
  }
};

} // namespace

} // namespace sagetrain

using namespace sagetrain;

SAGETRAIN_EXPORT sagetrain_status sagetrain_composed_cross_entropy(void *hidden, void *table, int64_t fixed_row, void *bias, void *targets,
                                                                   double smoothing, int32_t precision, double loss_scale, void **loss,
                                                                   void **nll) {
  return guard([&] {
    std::vector<at::Tensor> tensors{tensor_at(hidden), tensor_at(table)};
    if (bias) tensors.push_back(tensor_at(bias));
    bool training = false;
    for (const at::Tensor &tensor : tensors) training = training || tensor.requires_grad();
    const Problem problem{tensors[0].detach(), tensors[1].detach(), bias ? tensors[2].detach() : at::Tensor(), tensor_at(targets), fixed_row,
                          smoothing, scalar_type(static_cast<Type>(precision)), loss_scale};
    auto sums = CrossEntropy::apply(at::TensorList(tensors), problem, training && at::GradMode::is_enabled());
    *loss = release(std::move(sums[0]));
    *nll = release(std::move(sums[1]));
  });
}

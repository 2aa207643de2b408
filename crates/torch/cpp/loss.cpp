// Output projection, softmax and label-smoothed cross-entropy over chunks of rows: the float32 logits of the whole batch never exist.
// With gradients wanted, each chunk's gradient goes straight into those of hidden, table and bias, for a loss whose own gradient is `loss_scale`.
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "guard.h"
#include "linear.h"
#include "parallel.h"

namespace sagetrain {

namespace {

constexpr int64_t logits_a_chunk = 16 << 20; // 64 MiB of float32
constexpr int64_t fewest_rows = 256;         // every chunk reads and writes the table's whole gradient
constexpr int64_t most_rows = 1024;

struct Problem {
  at::Tensor hidden, table, bias, targets; // bias may be undefined
  int64_t fixed_row;
  double smoothing;
  Type precision;
  double loss_scale; // what the loss's own gradient will be: slopes are rounded as it makes them

  int64_t tokens() const { return hidden.size(0); }
  int64_t width() const { return hidden.size(1); }
  int64_t classes() const { return table.size(0); }
};

struct Gradients {
  at::Tensor hidden, table, bias;
  Packed to_hidden; // the table as the right factor of the gradient of hidden

  explicit Gradients(const Problem &p)
      : hidden(at::empty({p.tokens(), p.width()}, p.hidden.options().requires_grad(false))), table(at::empty_like(p.table)),
        bias(at::zeros({p.bias.defined() ? p.classes() : 0}, at::kFloat)), to_hidden(compute_for(p.precision), p.width(), p.classes()) {
    to_hidden.fill(factor(p.table, false), 0, p.width(), 0, p.classes());
  }

  // Adds what `slopes` [rows, classes], the gradients of the logits of rows from `row` on, say.
  void add(const Problem &p, const at::Tensor &slopes, int64_t row, int64_t rows) {
    const at::Tensor part = p.hidden.narrow(0, row, rows);
    const at::Tensor out = hidden.narrow(0, row, rows);
    const Product to{factor(slopes, true), rows, {out.data_ptr(), type_of(out), p.width()}};
    multiply({&to, 1}, to_hidden);

    Packed right(to_hidden.compute, p.width(), rows);
    right.fill(factor(part, false), 0, p.width(), 0, rows);
    Output sum{table.data_ptr(), Type::float32, p.width()};
    sum.accumulate = row > 0;
    const Product from{factor(slopes, false), p.classes(), sum, p.bias.defined() ? bias.data_ptr<float>() : nullptr};
    multiply({&from, 1}, right);
  }
};

// Equal chunks, so that none is too small to be multiplied well.
int64_t rows_a_chunk(int64_t tokens, int64_t classes) {
  const int64_t most = std::clamp(logits_a_chunk / classes, fewest_rows, most_rows);
  const int64_t chunks = (tokens + most - 1) / most;
  return (tokens + chunks - 1) / chunks;
}

struct Sums {
  double loss = 0, nll = 0;
};

Sums run(const Problem &p, Gradients *gradients) {
  Sums sums;
  if (!p.tokens()) return sums;
  const Compute compute = compute_for(p.precision);
  Packed to_logits(compute, p.classes(), p.width());
  to_logits.fill(factor(p.table, true), 0, p.classes(), 0, p.width());
  const int64_t chunk = rows_a_chunk(p.tokens(), p.classes());
  const at::Tensor logits = at::empty({chunk, p.classes()}, at::kFloat);
  // A product in float32 can take its own logits' place.
  const at::Tensor slopes = p.precision == Type::float32 ? logits : at::empty({chunk, p.classes()}, scalar_type(p.precision));
  std::vector<double> loss(chunk), nll(chunk);
  for (int64_t row = 0; row < p.tokens(); row += chunk) {
    const int64_t rows = std::min(chunk, p.tokens() - row);
    Output output{logits.data_ptr(), Type::float32, p.classes()};
    output.bias = p.bias.defined() ? p.bias.data_ptr<float>() : nullptr;
    const Product product{factor(p.hidden.narrow(0, row, rows), true), rows, output};
    multiply({&product, 1}, to_logits);
    const Loss call{logits.data_ptr<float>(), p.classes(), p.classes(), p.targets.data_ptr<int64_t>() + row, p.smoothing,
                    p.precision, gradients ? slopes.data_ptr() : nullptr, p.classes(), loss.data(), nll.data(), p.loss_scale};
    parallel_blocks(rows, 8, [&](int64_t begin, int64_t end) { kernels().loss(call, begin, end); });
    for (int64_t i = 0; i < rows; i++) sums.loss += loss[i], sums.nll += nll[i];
    if (gradients) gradients->add(p, slopes, row, rows);
  }
  return sums;
}

struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *ctx, at::TensorList tensors, const Problem &problem,
                                                bool training) {
    std::optional<Gradients> gradients;
    if (training && problem.tokens()) gradients.emplace(problem);
    const Sums sums = run(problem, gradients ? &*gradients : nullptr);
    if (gradients) fix_row(gradients->table, problem.fixed_row);
    const at::Tensor loss = at::scalar_tensor(sums.loss, at::kFloat), nll = at::scalar_tensor(sums.nll, at::kFloat);
    ctx->mark_non_differentiable({nll});
    ctx->saved_data["inputs"] = static_cast<int64_t>(tensors.size());
    ctx->saved_data["loss_scale"] = problem.loss_scale;
    if (gradients) ctx->save_for_backward({gradients->hidden, gradients->table, gradients->bias});
    else ctx->save_for_backward({at::zeros_like(problem.hidden), at::zeros_like(problem.table), at::zeros({tensors.size() > 2 ? problem.classes() : 0})});
    return {loss, nll};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx, torch::autograd::variable_list grads) {
    const size_t inputs = ctx->saved_data["inputs"].toInt();
    torch::autograd::variable_list results = ctx->get_saved_variables();
    results.resize(inputs);
    const double scale = grads[0].item<double>() / ctx->saved_data["loss_scale"].toDouble();
    if (scale != 1.0)
      for (at::Tensor &gradient : results) gradient = gradient.mul(scale);
    results.resize(inputs + 2);
    return results;
  }
};

void check_targets(const at::Tensor &targets, int64_t classes) {
  const int64_t *target = targets.data_ptr<int64_t>();
  for (int64_t i = 0; i < targets.numel(); i++)
    TORCH_CHECK(target[i] >= 0 && target[i] < classes, "target ", i, " is ", target[i], ", expected 0 to ", classes - 1);
}

} // namespace

} // namespace sagetrain

using namespace sagetrain;

SAGETRAIN_EXPORT sagetrain_status sagetrain_projected_cross_entropy(void *hidden, void *table, int64_t fixed_row, void *bias, void *targets,
                                                                    double smoothing, int32_t precision, double loss_scale, void **loss, void **nll) {
  return guard([&] {
    std::vector<at::Tensor> tensors{tensor_at(hidden), tensor_at(table)};
    if (bias) tensors.push_back(tensor_at(bias));
    bool training = false;
    for (const at::Tensor &tensor : tensors) training = training || tensor.requires_grad();
    const Problem problem{row_major(tensors[0].detach()), tensors[1].detach().contiguous(), bias ? tensors[2].detach().contiguous() : at::Tensor(),
                          tensor_at(targets).contiguous(), fixed_row, smoothing, static_cast<Type>(precision), loss_scale};
    check_targets(problem.targets, problem.classes());
    auto sums = CrossEntropy::apply(at::TensorList(tensors), problem, training && at::GradMode::is_enabled());
    *loss = release(std::move(sums[0]));
    *nll = release(std::move(sums[1]));
  });
}

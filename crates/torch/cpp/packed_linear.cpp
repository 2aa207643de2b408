// Layers whose weights are laid out for products once and used many times, without gradients.
#include <vector>

#include "guard.h"
#include "linear.h"
#include "parallel.h"

namespace sagetrain {

namespace {

// Layers of one input side by side, ready to be multiplied.
struct PackedLinear {
  Type precision;
  Packed weights;
  std::vector<float> bias; // empty where no layer has one

  PackedLinear(const std::vector<at::Tensor> &layers, const std::vector<at::Tensor> &biases, Type precision)
      : precision(precision), weights(compute_for(precision), rows_of(layers), layers[0].size(1)) {
    const bool biased = std::any_of(biases.begin(), biases.end(), [](const at::Tensor &bias) { return bias.defined(); });
    if (biased) bias.resize(weights.columns);
    int64_t row = 0;
    const at::Tensor all = aligned(layers) ? at::Tensor() : at::cat(layers);
    if (all.defined()) weights.fill(factor(all, true), 0, weights.columns, 0, weights.depth);
    for (size_t i = 0; i < layers.size(); i++) {
      const int64_t rows = layers[i].size(0);
      if (!all.defined()) weights.fill(factor(layers[i], true), row, rows, 0, weights.depth);
      if (biases[i].defined()) std::copy_n(biases[i].contiguous().data_ptr<float>(), rows, bias.data() + row);
      row += rows;
    }
  }

  static int64_t rows_of(const std::vector<at::Tensor> &layers) {
    int64_t rows = 0;
    for (const at::Tensor &layer : layers) rows += layer.size(0);
    return rows;
  }

  // Whether every layer begins at a panel of its own.
  static bool aligned(const std::vector<at::Tensor> &layers) {
    int64_t rows = 0;
    for (const at::Tensor &layer : layers) {
      if (rows % kernels().width) return false;
      rows += layer.size(0);
    }
    return true;
  }

  at::Tensor apply(const at::Tensor &x, Activation activation) const {
    const at::Tensor input = row_major(x);
    at::Tensor y = at::empty({x.size(0), weights.columns}, x.options().requires_grad(false).dtype(scalar_type(precision)));
    Output output{y.data_ptr(), precision, weights.columns};
    output.bias = bias.empty() ? nullptr : bias.data();
    output.activation = activation;
    const Product product{factor(input, true), x.size(0), output};
    if (x.size(0)) multiply({&product, 1}, weights);
    return y;
  }
};

} // namespace

} // namespace sagetrain

using namespace sagetrain;

SAGETRAIN_EXPORT sagetrain_status sagetrain_pack_linear(void *const *weights, void *const *biases, int64_t layers, int32_t precision,
                                                        void **out) {
  return guard([&] {
    std::vector<at::Tensor> matrices, vectors;
    for (int64_t i = 0; i < layers; i++) {
      matrices.push_back(tensor_at(weights[i]).detach().contiguous());
      vectors.push_back(biases[i] ? tensor_at(biases[i]).detach() : at::Tensor());
    }
    *out = new PackedLinear(matrices, vectors, static_cast<Type>(precision));
  });
}

SAGETRAIN_EXPORT sagetrain_status sagetrain_packed_linear(const void *packed, void *x, int32_t activation, void **out) {
  return guard([&] { *out = release(static_cast<const PackedLinear *>(packed)->apply(tensor_at(x), static_cast<Activation>(activation))); });
}

SAGETRAIN_EXPORT void sagetrain_packed_linear_free(void *packed) { delete static_cast<PackedLinear *>(packed); }

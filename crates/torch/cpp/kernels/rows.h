// Embedding rows, the loss of logit rows, the gradients of activations.

template <typename T> static void embed(const Embed &a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; r++) {
    const float *token = a.table + a.ids[r] * a.width, *position = a.position_table + a.positions[r] * a.width;
    T *out = (T *)a.out + r * a.width;
    for (int64_t j = 0; j < a.width; j += W) {
      int n = a.width - j < W ? a.width - j : W;
      F x = load(token + j, n) * a.scale + load(position + j, n);
      if (a.bits) x = keep(x, bits_from(a.bits, r * a.width + j), a.keep_scale);
      store(out + j, x, n);
    }
  }
}

static void embed(const Embed &a, int64_t begin, int64_t end) {
  by_type(a.type, [&](auto *type) { embed<std::remove_pointer_t<decltype(type)>>(a, begin, end); });
}

// Columns begin..end of every token's gradient, in token order: tasks share no column, so the sums need no locks and keep their order.
template <typename T> static void scatter(const Scatter &a, int64_t begin, int64_t end) {
  for (int64_t r = 0; r < a.tokens; r++) {
    const T *gradient = (const T *)a.gradient + r * a.width;
    float *row = a.table + a.ids[r] * a.width;
    for (int64_t j = begin; j < end; j += W) {
      int n = end - j < W ? end - j : W;
      F x = load(gradient + j, n);
      if (a.bits) x = keep(x, bits_from(a.bits, r * a.width + j), a.keep_scale);
      store(row + j, load(row + j, n) + x * a.scale, n);
    }
  }
}

static void scatter(const Scatter &a, int64_t begin, int64_t end) {
  by_type(a.type, [&](auto *type) { scatter<std::remove_pointer_t<decltype(type)>>(a, begin, end); });
}

// Turns a row of logits into its loss and, if asked for, its gradient; the logits are overwritten.
template <typename T> static void loss_row(const Loss &a, int64_t r) {
  float *x = a.logits + r * a.stride;
  const int64_t classes = a.classes, target = a.targets[r];
  F top = -INFINITY - F{}, all = F{};
  for (int64_t j = 0; j < classes; j += W) {
    int n = classes - j < W ? classes - j : W;
    F y = load(x + j, n);
    top = max(top, first(y, n, -INFINITY - F{}));
    all += y;
  }
  const float highest = largest(top), chosen = x[target];
  F total = F{};
  for (int64_t j = 0; j < classes; j += W) {
    int n = classes - j < W ? classes - j : W;
    F e = first(exp(load(x + j, n) - highest), n);
    store(x + j, e, n);
    total += e;
  }
  const double mass = sum(total), log_mass = highest + std::log(mass);
  a.nll[r] = log_mass - chosen;
  // Every entry weighs `spread`, the target beyond that what is left of one.
  const double spread = a.smoothing / (classes > 1 ? classes - 1 : 1), rest = 1.0 - a.smoothing - spread;
  a.loss[r] = rest * a.nll[r] + spread * (classes * log_mass - (double)sum(all));
  if (!a.gradient) return;
  T *gradient = (T *)a.gradient + r * a.gradient_stride;
  const float inverse = a.slope_scale / mass, less = spread * a.slope_scale;
  x[target] -= rest * mass;
  for (int64_t j = 0; j < classes; j += W) {
    int n = classes - j < W ? classes - j : W;
    store(gradient + j, load(x + j, n) * inverse - less, n);
  }
}

static void loss(const Loss &a, int64_t begin, int64_t end) {
  by_type(a.type, [&](auto *type) {
    for (int64_t r = begin; r < end; r++) loss_row<std::remove_pointer_t<decltype(type)>>(a, r);
  });
}

// Φ(x) + x φ(x).
INLINE F gelu_slope(F x) { return normal_cdf(x) + x * exp(x * x * -0.5f) * 0.39894228040143268f; }

// σ(x) + x σ(x) (1 − σ(x)).
INLINE F swish_slope(F x) {
  F s = sigmoid(x);
  return s + x * s * (1.0f - s);
}

// σ(2u) + x σ(2u) (1 − σ(2u)) (2u)'.
INLINE F gelu_tanh_slope(F x) {
  F s = sigmoid(gelu_tanh_argument(x));
  return s + x * s * (1.0f - s) * 1.5957691216057308f * (1.0f + 3.0f * 0.044715f * x * x);
}

// out = gradient · activation'(x).
template <typename T, typename Slope>
static void activation_gradient(Slope slope, const T *gradient, const T *before, T *out, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i += W) {
    int n = end - i < W ? end - i : W;
    store(out + i, load(gradient + i, n) * slope(load(before + i, n)), n);
  }
}

static void activation_gradient(Activation activation, Type type, const void *gradient, const void *before, void *out, int64_t begin,
                                int64_t end) {
  by_type(type, [&](auto *t) {
    using T = std::remove_pointer_t<decltype(t)>;
    const T *g = (const T *)gradient, *x = (const T *)before;
    if (activation == Activation::swish) return activation_gradient([](F at) { return swish_slope(at); }, g, x, (T *)out, begin, end);
    if (activation == Activation::gelu_tanh)
      return activation_gradient([](F at) { return gelu_tanh_slope(at); }, g, x, (T *)out, begin, end);
    activation_gradient([](F at) { return gelu_slope(at); }, g, x, (T *)out, begin, end);
  });
}

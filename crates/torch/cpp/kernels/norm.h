// Layer norm of the sum of a residual and a dropped-out block, and its gradient, row by row in float32.

template <typename T> static void norm_forward(const Norm &a, int64_t begin, int64_t end) {
  const int64_t width = a.width;
  float *row = (float *)__builtin_alloca((width + W) * sizeof(float));
  for (int64_t r = begin; r < end; r++) {
    const T *x = (const T *)a.x + r * width, *residual = (const T *)a.residual + r * width;
    F total = F{};
    for (int64_t j = 0; j < width; j += W) {
      int n = width - j < W ? width - j : W;
      F y = load(x + j, n);
      if (a.bits) y = keep(y, bits_from(a.bits, r * width + j), a.scale);
      if (a.residual) y += load(residual + j, n);
      store(row + j, y);
      total += first(y, n); // bits past the row's end belong to the next row
    }
    const float mean = sum(total) / width;
    F square = F{};
    for (int64_t j = 0; j < width; j += W) {
      F y = first(load(row + j) - mean, width - j < W ? width - j : W);
      square += y * y;
    }
    const float rstd = 1.0f / std::sqrt(sum(square) / width + a.eps);
    if (a.rstd) a.rstd[r] = rstd;
    T *out = (T *)a.out + r * width, *normal = (T *)a.normal + r * width;
    for (int64_t j = 0; j < width; j += W) {
      int n = width - j < W ? width - j : W;
      F y = (load(row + j) - mean) * rstd;
      if (a.normal) store(normal + j, y, n);
      store(out + j, y * load(a.gamma + j, n) + load(a.beta + j, n), n);
    }
  }
}

// sums[2][width] += the rows' parts of the gradients of gamma and beta.
template <typename T> static void norm_backward(const NormGradient &a, int64_t begin, int64_t end, float *sums) {
  const int64_t width = a.width;
  float *weighted = (float *)__builtin_alloca((width + W) * sizeof(float));
  for (int64_t r = begin; r < end; r++) {
    const T *gradient = (const T *)a.gradient + r * width, *normal = (const T *)a.normal + r * width;
    F total = F{}, along = F{};
    for (int64_t j = 0; j < width; j += W) {
      int n = width - j < W ? width - j : W;
      F g = load(gradient + j, n), x = load(normal + j, n);
      F w = g * load(a.gamma + j, n);
      store(weighted + j, w);
      total += w;
      along += w * x;
      store(sums + j, load(sums + j, n) + g * x, n);
      store(sums + width + j, load(sums + width + j, n) + g, n);
    }
    const float mean = sum(total) / width, slope = sum(along) / width;
    T *residual = (T *)a.residual + r * width, *x_gradient = (T *)a.x + r * width;
    for (int64_t j = 0; j < width; j += W) {
      int n = width - j < W ? width - j : W;
      F g = (load(weighted + j) - mean - load(normal + j, n) * slope) * a.rstd[r];
      store(residual + j, g, n);
      if (a.x) store(x_gradient + j, keep(g, bits_from(a.bits, r * width + j), a.scale), n);
    }
  }
}

static void norm_forward(const Norm &a, int64_t begin, int64_t end) {
  by_type(a.type, [&](auto *type) { norm_forward<std::remove_pointer_t<decltype(type)>>(a, begin, end); });
}

static void norm_backward(const NormGradient &a, int64_t begin, int64_t end, float *sums) {
  by_type(a.type, [&](auto *type) { norm_backward<std::remove_pointer_t<decltype(type)>>(a, begin, end, sums); });
}

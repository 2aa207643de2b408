// What every fused operation shares: tensors and dropout as they come through the C interface, and scratch memory.
#pragma once

#include <ATen/ATen.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <optional>

#include "kernels.h"

// `Dropout` of src/dropout.rs with its threshold and scale; a null pointer is no dropout.
struct sagetrain_dropout {
  uint64_t seed;
  uint64_t step;
  uint32_t stream;
  uint32_t threshold;
  float scale;
};

namespace sagetrain {

// tch's tensors are pointers to at::Tensor.
inline const at::Tensor &tensor_at(const void *pointer) { return *static_cast<const at::Tensor *>(pointer); }
inline void *release(at::Tensor tensor) { return new at::Tensor(std::move(tensor)); }

inline std::optional<DropoutKey> dropout_key(const sagetrain_dropout *dropout) {
  if (!dropout) return std::nullopt;
  return DropoutKey{dropout->seed, dropout->step, dropout->stream, dropout->threshold, dropout->scale};
}

// The row of a table that is never learnt: its gradient is zero. −1 for none.
inline void fix_row(const at::Tensor &table_gradient, int64_t row) {
  if (row >= 0) table_gradient.select(0, row).zero_();
}

inline Type type_of(const at::Tensor &tensor) {
  switch (tensor.scalar_type()) {
  case at::kFloat: return Type::float32;
  case at::kBFloat16: return Type::bfloat16;
  case at::kHalf: return Type::float16;
  default: TORCH_CHECK(false, "expected float32, bfloat16 or float16, found ", tensor.scalar_type());
  }
}

inline at::ScalarType scalar_type(Type type) {
  return type == Type::float32 ? at::kFloat : type == Type::bfloat16 ? at::kBFloat16 : at::kHalf;
}

// The same matrix with neighbouring elements of a row side by side, as the kernels read it.
inline at::Tensor row_major(const at::Tensor &matrix) {
  return matrix.size(1) <= 1 || matrix.stride(1) == 1 ? matrix : matrix.contiguous();
}

// 64-byte aligned memory of the calling thread, grown as needed and kept until the thread ends.
inline float *scratch_floats(int64_t count) {
  struct Free {
    void operator()(float *memory) const { std::free(memory); }
  };
  thread_local std::unique_ptr<float, Free> memory;
  thread_local int64_t size = 0;
  if (size < count) {
    memory.reset();
    size = 0;
    memory.reset(static_cast<float *>(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64)));
    if (!memory) throw std::bad_alloc();
    size = count;
  }
  return memory.get();
}

} // namespace sagetrain

// The bits of a dropout mask, made once a forward pass and kept for the backward pass: an eighth of a byte an element.
#pragma once

#include "operation.h"
#include "parallel.h"

namespace sagetrain {

// One bit an element, set where it stays; undefined without dropout. Four bytes longer, since kernels read whole words.
inline at::Tensor dropout_bits(const std::optional<DropoutKey> &dropout, int64_t elements) {
  if (!dropout) return {};
  const int64_t groups = (elements + dropout_group - 1) / dropout_group;
  at::Tensor bits = at::empty({groups * dropout_group / 8 + 4}, at::kByte);
  uint8_t *data = bits.data_ptr<uint8_t>();
  parallel_blocks(groups, 64, [&](int64_t begin, int64_t end) {
    kernels().dropout_bits(*dropout, begin, end, data + begin * dropout_group / 8);
  });
  return bits;
}

inline const uint8_t *data_of(const at::Tensor &bits) { return bits.defined() ? bits.data_ptr<uint8_t>() : nullptr; }

} // namespace sagetrain

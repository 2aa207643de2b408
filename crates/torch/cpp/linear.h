// Tensors as factors of products.
#pragma once

#include "gemm.h"
#include "operation.h"

namespace sagetrain {

// The rows of a row-major matrix as a factor's rows, or with depth_contiguous = false its columns.
Factor factor(const at::Tensor &matrix, bool depth_contiguous);

// The same factor from a later row on.
Factor from_row(Factor factor, int64_t row);

} // namespace sagetrain

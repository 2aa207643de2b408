// Matrix products over packed panels: c[rows, columns] = a[rows, depth] · b[columns, depth]ᵀ with a fused epilogue.
#pragma once

#include <c10/core/Allocator.h>

#include <span>

#include "kernels.h"

namespace sagetrain {

// The right factor, packed once and shared by all tasks: [panel][unit][width] words.
class Packed {
public:
  Packed(Compute compute, int64_t columns, int64_t depth);

  // Packs `columns` columns of `factor` (its rows) and `depth` elements into place. `column` must be a multiple of the vector width and
  // `at`, where in this matrix's depth they begin, even. sums, if given: [columns] += sums over the depth, in blocks of fixed size.
  void fill(const Factor &factor, int64_t column, int64_t columns, int64_t at, int64_t depth, float *sums = nullptr);

  const uint32_t *panel(int64_t index, int64_t unit) const { return words() + (index * units + unit) * width; }

  int64_t panels() const { return (columns + width - 1) / width; }

  Compute compute;
  int64_t columns, depth, units, width;

private:
  uint32_t *words() const { return static_cast<uint32_t *>(memory.get()); }
  c10::DataPtr memory;
};

// One left factor and where its product goes. row_sums, if given: [rows] += sums over the depth, in order.
struct Product {
  Factor a;
  int64_t rows;
  Output c;
  float *row_sums = nullptr;
};

// Every element is one chain of sums along the depth, so the bits depend on neither threads nor the other rows.
void multiply(std::span<const Product> products, const Packed &b);

// How factors of this type are multiplied on this processor.
Compute compute_for(Type type);

} // namespace sagetrain

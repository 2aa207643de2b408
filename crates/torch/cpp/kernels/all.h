// Every kernel of one instruction set; the including file has chosen it by SAGETRAIN_ISA, SAGETRAIN_WIDTH and a target pragma.

namespace sagetrain::SAGETRAIN_ISA {
#include "kernels/vec.h"
// clang-format off
#include "kernels/pack.h"
#include "kernels/multiply.h"
// clang-format on
} // namespace sagetrain::SAGETRAIN_ISA

#define SAGETRAIN_NAME_(isa) kernels_##isa
#define SAGETRAIN_NAME(isa) SAGETRAIN_NAME_(isa)
#define SAGETRAIN_TEXT_(isa) #isa
#define SAGETRAIN_TEXT(isa) SAGETRAIN_TEXT_(isa)

namespace sagetrain {
const Kernels SAGETRAIN_NAME(SAGETRAIN_ISA) = {
    .name = SAGETRAIN_TEXT(SAGETRAIN_ISA),
    .width = SAGETRAIN_ISA::W,
    .tile_rows = SAGETRAIN_ISA::tile_rows,
    .bfloat16 = SAGETRAIN_HAS_BF16,
    .pack = SAGETRAIN_ISA::pack,
    .multiply = SAGETRAIN_ISA::multiply,
    .finish = SAGETRAIN_ISA::finish,
};
} // namespace sagetrain

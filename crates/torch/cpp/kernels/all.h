// Every kernel of one instruction set; the including file has chosen it by SAGETRAIN_ISA, SAGETRAIN_WIDTH and a target pragma.

namespace sagetrain::SAGETRAIN_ISA {
#include "kernels/vec.h"
// clang-format off
#include "kernels/pack.h"
#include "kernels/multiply.h"
#include "kernels/philox.h"
#include "kernels/dropout.h"
#include "kernels/norm.h"
#include "kernels/rows.h"
#include "kernels/attention.h"
#include "kernels/decode.h"
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
    .dropout_bits = SAGETRAIN_ISA::dropout_bits,
    .drop = SAGETRAIN_ISA::drop,
    .norm_forward = SAGETRAIN_ISA::norm_forward,
    .norm_backward = SAGETRAIN_ISA::norm_backward,
    .embed = SAGETRAIN_ISA::embed,
    .scatter = SAGETRAIN_ISA::scatter,
    .loss = SAGETRAIN_ISA::loss,
    .activation_gradient = SAGETRAIN_ISA::activation_gradient,
    .attention_scratch = SAGETRAIN_ISA::attention_scratch,
    .attend = SAGETRAIN_ISA::attend,
    .attend_backward = SAGETRAIN_ISA::attend_backward,
    .attend_single = SAGETRAIN_ISA::attend_single,
    .best = SAGETRAIN_ISA::best,
};
} // namespace sagetrain

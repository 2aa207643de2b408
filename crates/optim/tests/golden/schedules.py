"""Writes `schedules.json`: multipliers by step as other systems compute them.

    python3 schedules.py            # with torch and transformers

`transformers` formulas are called; fairseq's and pytorch-pretrained-bert 0.6.0's, which do not install beside it, are restated from
`fairseq/optim/lr_scheduler/{inverse_square_root,polynomial_decay}_schedule.py` and `pytorch_pretrained_bert/optimization.py`.
"""

import json
from pathlib import Path

import torch
import transformers

STEPS = (1, 2, 9, 10, 11, 50, 99, 100)
TOTAL = 100


def hugging_face(name, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    return getattr(transformers, name)(optimizer, **options).lr_lambdas[0]


def fairseq_inverse_sqrt(warmup_updates):
    step = 1.0 / warmup_updates  # (lr − warmup_init_lr) / warmup_updates
    decay = warmup_updates**0.5  # lr · warmup_updates^½
    return lambda updates: updates * step if updates < warmup_updates else decay * updates**-0.5


def fairseq_polynomial(power, warmup_updates):
    def multiplier(updates):
        if warmup_updates > 0 and updates <= warmup_updates:
            return updates / float(warmup_updates)
        if updates >= TOTAL:
            return 0.0
        remaining = 1 - (updates - warmup_updates) / (TOTAL - warmup_updates)
        return remaining**power

    return multiplier


def pretrained_bert_warmup_linear(warmup):
    # Past the last step the original goes below 0, where no run gets to.
    return lambda step: step / TOTAL / warmup if step / TOTAL < warmup else max(0.0, 1.0 - step / TOTAL)


def linear(warmup):
    return hugging_face("get_linear_schedule_with_warmup", num_warmup_steps=warmup, num_training_steps=TOTAL)


CASES = [
    ({"type": "constant"}, lambda step: 1.0),
    ({"type": "linear", "warmupSteps": 10}, linear(10)),
    ({"type": "linear", "warmupRatio": 0.095}, linear(10)),  # rounded up, as TrainingArguments.get_warmup_steps
    ({"type": "linear"}, linear(0)),
    ({"type": "inverseSqrt", "warmupSteps": 10}, fairseq_inverse_sqrt(10)),
    ({"type": "inverseSqrt", "warmupSteps": 10}, hugging_face("get_inverse_sqrt_schedule", num_warmup_steps=10)),
    (
        {"type": "cosine", "warmupSteps": 10},
        hugging_face("get_cosine_schedule_with_warmup", num_warmup_steps=10, num_training_steps=TOTAL),
    ),
    ({"type": "polynomial", "power": 2, "warmupSteps": 10}, fairseq_polynomial(2, 10)),
    ({"type": "polynomial", "power": 1, "warmupSteps": 0}, fairseq_polynomial(1, 0)),
    (
        {"type": "polynomial", "power": 0.5, "warmupSteps": 10},
        hugging_face(
            "get_polynomial_decay_schedule_with_warmup",
            num_warmup_steps=10,
            num_training_steps=TOTAL,
            lr_end=0.0,
            power=0.5,
        ),
    ),
    ({"type": "warmupLinear", "warmupRatio": 0.1}, pretrained_bert_warmup_linear(0.1)),
]

if __name__ == "__main__":
    cases = [{"schedule": spec, "multipliers": {str(t): s(t) for t in STEPS}} for spec, s in CASES]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_suffix(".json").write_text(f'{{"total":{TOTAL},"cases":[\n{lines}\n]}}\n')

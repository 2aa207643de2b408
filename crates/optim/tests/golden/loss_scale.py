"""Writes `loss_scale.json`: the scales that torch 2.13's `torch.amp.GradScaler` goes through, for given sequences of good and bad steps.

    python3 loss_scale.py            # with torch 2.13.0

`found` is 1 where the step's gradient is infinite; `scales` and `trackers` are those after each step. Numbers are written as Python's repr,
which reads back to the same bits. In `vanishing` torch's scale falls to 0; sagetrain stops where it leaves float32's normal numbers.
"""

import json
import random
from pathlib import Path

import torch

CASES = {
    "defaults": (dict(), [0] * 1999 + [1] + [0] * 4001 + [1, 1, 0]),
    "odd factors": (dict(init_scale=0.1, growth_factor=1.7, backoff_factor=0.3, growth_interval=3), None),
    "every step": (dict(init_scale=1.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=1), None),
    "up to infinity": (dict(init_scale=1e37, growth_factor=1.9, backoff_factor=0.9, growth_interval=1), [0] * 12 + [1, 0, 0, 0]),
    "vanishing": (dict(init_scale=65536.0, backoff_factor=0.1), [1] * 60),
}


def run(options, found):
    scaler = torch.amp.GradScaler("cpu", **options)
    parameter = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    scaler.scale(torch.zeros(()))  # makes its tensors
    scales, trackers = [], []
    for bad in found:
        parameter.grad = torch.tensor([1.0, float("inf") if bad else 1.0])
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
        trackers.append(scaler.state_dict()["_growth_tracker"])
    return dict(scales=scales, trackers=trackers)


if __name__ == "__main__":
    assert torch.__version__.startswith("2.13.0"), torch.__version__
    random.seed(20220)
    cases = []
    for name, (options, found) in CASES.items():
        found = [int(random.random() < 0.2) for _ in range(200)] if found is None else found
        cases.append(dict(name=name, options=options, found=found, **run(options, found)))
    golden = dict(torch=torch.__version__.split("+")[0], cases=cases)
    # The long run of defaults only where something moves: an unchanged scale is left out, as null.
    for case in cases:
        previous = None
        for index, scale in enumerate(case["scales"]):
            case["scales"][index], previous = (None if scale == previous else scale), scale
    Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")

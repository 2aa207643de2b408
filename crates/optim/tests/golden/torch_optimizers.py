"""Writes `torch_optimizers.json`: what torch 2.13's SGD, Adam, AdamW and Adamax make of given parameters, states and gradients.

    python3 torch_optimizers.py            # with torch 2.13.0, on a processor with AVX2 or AVX-512

`trajectories`: float64, the unfused (for-loop) implementation with a correctly rounded root, parameters and states after several steps;
equal bits are expected.
`float64`: Adam and AdamW, one step from a given state, unfused and fused as they come; 1e-14 relative is expected.
`float32`: the same; an error bound is expected, and no more error than torch's own.
`averages`: float32 and float64, `AveragedModel` with `get_ema_multi_avg_fn` behind the unfused Adam, its average after every step; equal bits are
expected of the average, given the parameters.
Numbers are written as Python's repr, which reads back to the same bits.

Why the root: torch leaves `sqrt` to MKL, which on an AMD processor misses the correctly rounded value by one unit in the last place for 1.3 %
of float64 arguments and 17 % of float32 ones (measured with this wheel), so torch's own bits depend on the processor's maker. The fused
implementation, like ours, takes the processor's instruction, which IEEE 754 binds to the correctly rounded value; numpy takes it too.
"""

import json
from pathlib import Path
from unittest import mock

import numpy as np
import torch

ELEMENTS = 37  # two vectors of 16 and a tail, or four of 8 and a tail
STEPS = 12
CASES = [
    ("adam", dict(lr=1e-3)),
    ("adam", dict(lr=2e-3, betas=(0.9, 0.98), eps=1e-9, weight_decay=0.05)),
    ("adam", dict(lr=1e-2, betas=(0.3, 0.99), eps=1e-6)),  # a weight of at least 0.5 takes torch's other branch of lerp
    ("adam", dict(lr=1e-3, betas=(0.0, 0.0))),
    ("adamw", dict(lr=3e-4, weight_decay=0.0)),
    ("adamw", dict(lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)),
]
OTHERS = [
    ("sgd", dict(lr=0.1)),
    ("sgd", dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("sgd", dict(lr=0.03, momentum=0.8, nesterov=True, weight_decay=0.1)),
    ("adamax", dict(lr=2e-3)),
    ("adamax", dict(lr=1e-3, betas=(0.4, 0.98), eps=1e-6, weight_decay=0.1)),
]
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "adamax": torch.optim.Adamax}
# torch's names of states, in ours.
STATES = {"momentum_buffer": "momentum"}


def numbers(count, dtype):
    """Magnitudes over many binades, with zeros of both signs among them, and a subnormal where bits and not error bounds are compared."""
    values = torch.randn(count, dtype=torch.float64) * 10.0 ** (torch.rand(count, dtype=torch.float64) * 8 - 6)
    values[0], values[1] = 0.0, -0.0
    if dtype == torch.float64:
        values[2] = torch.finfo(dtype).tiny / 8
    return values.to(dtype)


def optimizer(kind, options, parameter, fused=False):
    implementation = {} if kind == "adamax" else dict(fused=fused)  # Adamax has no fused one
    return OPTIMIZERS[kind]([parameter], foreach=False, **implementation, **options)


def rounded_sqrt(tensor):
    """The root as IEEE 754 wants it."""
    return torch.from_numpy(np.sqrt(tensor.numpy()))


def trajectory(kind, options):
    initial = numbers(ELEMENTS, torch.float64)
    parameter = torch.nn.Parameter(initial.clone())
    made = optimizer(kind, options, parameter)
    gradients = [numbers(ELEMENTS, torch.float64) for _ in range(STEPS)]
    after = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        with mock.patch.object(torch.Tensor, "sqrt", rounded_sqrt):
            made.step()
        after.append(parameter.detach().clone())
    kept = {STATES.get(name, name): state for name, state in made.state[parameter].items() if name != "step"}
    return dict(
        optimizer=kind,
        options=options,
        initial=initial.tolist(),
        gradients=[gradient.tolist() for gradient in gradients],
        expected=[parameter.tolist() for parameter in after],
        state={name: state.tolist() for name, state in kept.items() if state is not None},
    )


def one_step(kind, options, dtype, step):
    """One step from a state as a run leaves it, by the unfused and the fused implementation."""
    initial, gradient, first = (numbers(ELEMENTS, dtype) for _ in range(3))
    second = numbers(ELEMENTS, dtype).double().square().to(dtype)
    case = dict(optimizer=kind, options=options, step=step, initial=initial.tolist(), gradient=gradient.tolist())
    case.update(exp_avg=first.tolist(), exp_avg_sq=second.tolist())
    for name, fused in (("unfused", False), ("fused", True)):
        parameter = torch.nn.Parameter(initial.clone())
        made = optimizer(kind, options, parameter, fused)
        parameter.grad = torch.zeros_like(parameter)
        made.step()  # makes the state
        with torch.no_grad():
            parameter.copy_(initial)
        state = made.state[parameter]
        state["step"].fill_(step - 1)
        state["exp_avg"].copy_(first)
        state["exp_avg_sq"].copy_(second)
        parameter.grad = gradient.clone()
        made.step()
        case[name] = parameter.detach().tolist()
    return case


def averages(decay, dtype):
    """The parameter and its exponential moving average over some steps, the gradients left out: only θ matters to the average."""
    holder = torch.nn.Linear(ELEMENTS, 1, bias=False, dtype=dtype)
    averaged = torch.optim.swa_utils.AveragedModel(holder, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay))
    parameters, expected = [], []
    for _ in range(5):
        with torch.no_grad():
            holder.weight.copy_(numbers(ELEMENTS, dtype))
        averaged.update_parameters(holder)
        parameters.append(holder.weight[0].tolist())
        expected.append(averaged.module.weight[0].tolist())
    return dict(decay=decay, dtype=str(dtype).removeprefix("torch."), parameters=parameters, expected=expected)


if __name__ == "__main__":
    assert torch.__version__.startswith("2.13.0"), torch.__version__
    torch.manual_seed(20220)
    torch.set_num_threads(1)
    golden = dict(
        torch=torch.__version__.split("+")[0],
        capability=torch.backends.cpu.get_cpu_capability(),
        trajectories=[trajectory(*case) for case in CASES + OTHERS],
        float64=[one_step(*case, torch.float64, step) for case in CASES for step in (1, 1000)],
        float32=[one_step(*case, torch.float32, step) for case in CASES for step in (1, 7, 1000)],
        averages=[averages(decay, dtype) for decay in (0.999, 0.9, 0.3, 0.0) for dtype in (torch.float32, torch.float64)],
    )
    rows = lambda cases: "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]"
    parts = (f'"{key}":{rows(value) if isinstance(value, list) else json.dumps(value)}' for key, value in golden.items())
    Path(__file__).with_suffix(".json").write_text("{" + ",\n".join(parts) + "}\n")

"""Optimizer state between torch 2.13 and sagetrain, in both directions.

    python3 torch_state.py                      # writes torch_state/*.safetensors and torch_state.json; torch 2.13.0, AVX2 or AVX-512
    python3 torch_state.py --check FOLDER       # loads what sagetrain wrote there into torch, goes on, compares

Writing: each optimizer trains some steps with torch's unfused (for-loop) implementation and a correctly rounded root (why:
`torch_optimizers.py`), its state dict is saved as `docs/optimizer-state.md` says, and it goes on for some steps. `torch_state.json` has the
parameters at the save, the gradients after it and the parameters after each of those steps.
Checking: FOLDER has the same from sagetrain: `torch_state.json` and the files. float64 is held to equal bits, float32 to 1e-6 relative.
"""

import json
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import safetensors
import safetensors.torch
import torch

SHAPES = {"body.weight": (3, 5), "body.bias": (5,), "scale": (), "head.weight": (2, 3)}
BEFORE, AFTER = 4, 3
CASES = {
    "sgd": ("SGD", dict(lr=0.1)),
    "sgd_momentum": ("SGD", dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adam": ("Adam", dict(lr=2e-3, betas=(0.9, 0.98), eps=1e-9, weight_decay=0.05)),
    "adamw": ("AdamW", dict(lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)),
    "adamax": ("Adamax", dict(lr=2e-3, weight_decay=0.02)),
}
DTYPES = {"float64": torch.float64, "float32": torch.float32}


def save_optimizer(optimizer, path):
    state = optimizer.state_dict()
    tensors = {
        f"state.{index}.{name}": torch.as_tensor(value).contiguous()
        for index, entry in state["state"].items()
        for name, value in entry.items()
        if value is not None
    }
    metadata = {
        "format": "torch.optim",
        "optimizer": type(optimizer).__name__,
        "param_groups": json.dumps(state["param_groups"], default=float),  # a rate may be a tensor
    }
    safetensors.torch.save_file(tensors, path, metadata)


def load_optimizer(optimizer, path):
    with safetensors.safe_open(path, "pt") as file:
        state = {"state": {}, "param_groups": json.loads(file.metadata()["param_groups"])}
        for key in file.keys():
            _, index, name = key.split(".", 2)
            state["state"].setdefault(int(index), {})[name] = file.get_tensor(key)
    optimizer.load_state_dict(state)


def rounded_sqrt(tensor):
    return torch.from_numpy(np.sqrt(tensor.numpy())) if tensor.dim() else torch.tensor(np.sqrt(tensor.numpy()))


def draw(dtype):
    return {name: torch.randn(shape, dtype=torch.float64).to(dtype) for name, shape in SHAPES.items()}


def make(kind, options, initial, groups=False):
    """Names and parameters, and the optimizer over them; with `groups`, biases and scales apart, without decay."""
    parameters = {name: torch.nn.Parameter(value.clone()) for name, value in initial.items()}
    implementation = dict(foreach=False) if kind == "Adamax" else dict(foreach=False, fused=False)
    named = list(parameters.items())
    if groups:
        decayed = [(name, parameter) for name, parameter in named if parameter.dim() > 1]
        plain = [(name, parameter) for name, parameter in named if parameter.dim() <= 1]
        named = [dict(params=decayed), dict(params=plain, weight_decay=0.0, lr=options["lr"] / 2)]
    return parameters, getattr(torch.optim, kind)(named, **implementation, **options)


def step(parameters, optimizer, gradients):
    for name, parameter in parameters.items():
        parameter.grad = gradients[name].clone()
    with mock.patch.object(torch.Tensor, "sqrt", rounded_sqrt):
        optimizer.step()


def flat(values):
    return {name: value.detach().flatten().tolist() for name, value in values.items()}


def write(folder):
    folder.mkdir(exist_ok=True)
    cases = []
    for dtype_name, dtype in DTYPES.items():
        for name, (kind, options) in CASES.items():
            for groups in (False, True) if name == "adamw" else (False,):
                file = f"{name}{'_groups' if groups else ''}_{dtype_name}.safetensors"
                parameters, optimizer = make(kind, options, draw(dtype), groups)
                for _ in range(BEFORE):
                    step(parameters, optimizer, draw(dtype))
                save_optimizer(optimizer, folder / file)
                at_save, gradients, after = flat(parameters), [draw(dtype) for _ in range(AFTER)], []
                for gradient in gradients:
                    step(parameters, optimizer, gradient)
                    after.append(flat(parameters))
                cases.append(
                    dict(file=file, optimizer=kind, options=options, dtype=dtype_name, groups=groups, step=BEFORE, parameters=at_save)
                    | dict(gradients=[flat(gradient) for gradient in gradients], expected=after)
                )
    golden = dict(torch=torch.__version__.split("+")[0], shapes=SHAPES, cases=cases)
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    head = json.dumps({key: value for key, value in golden.items() if key != "cases"})
    folder.with_suffix(".json").write_text(head[:-1] + ',"cases":[\n' + rows + "]}\n")


def check(folder):
    """Goes on from sagetrain's files; every state that torch does not know must survive torch's own load and save."""
    for case in json.loads((folder / "torch_state.json").read_text())["cases"]:
        dtype = DTYPES[case["dtype"]]
        tensors = lambda values: {name: torch.tensor(values[name], dtype=dtype).reshape(shape) for name, shape in SHAPES.items()}
        parameters, optimizer = make(case["optimizer"], case["options"], tensors(case["parameters"]), case["groups"])
        load_optimizer(optimizer, folder / case["file"])
        for extra in case["extra"]:
            assert all(extra in optimizer.state[parameter] for parameter in parameters.values()), (case["file"], extra)
        for index, (gradients, expected) in enumerate(zip(case["gradients"], case["expected"])):
            step(parameters, optimizer, tensors(gradients))
            for name, wanted in tensors(expected).items():
                found = parameters[name].detach()
                equal = torch.equal(found, wanted) if dtype == torch.float64 else torch.allclose(found, wanted, rtol=1e-6, atol=1e-7)
                assert equal, f"{case['file']} step {index + 1}: {name} is {found}, expected {wanted}"
        save_optimizer(optimizer, folder / f"again_{case['file']}")
        print("equal", case["file"])


if __name__ == "__main__":
    assert torch.__version__.startswith("2.13.0"), torch.__version__
    torch.manual_seed(20220)
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--check"]:
        check(Path(sys.argv[2]))
    else:
        write(Path(__file__).with_suffix(""))

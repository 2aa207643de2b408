"""Steps of PyTorch's optimizers, timed on demand: `cargo bench -p sagetrain-benches --bench versus_torch` is the other end.

    python optimizers.py '{"sizes": [1048576], "threads": 2}'     then one arm a line on standard input: fused, foreach, loop, eager, triad

Each line is answered by the seconds of one step.
"""

import json
import sys
import time

import torch

LR, BETA1, BETA2, EPS, BETA0, SAGE_EPS = 1e-3, 0.9, 0.999, 1e-8, 0.75, 1e-12


class EagerSage:
    """Adam-SAGE as one writes it from the paper: a tensor operation for each of its symbols, in place where that is natural.

    With `decay`, AdamW-SAGE.
    """

    def __init__(self, parameters, lr=LR, decay=0.0):
        self.parameters, self.lr, self.decay, self.step_count = list(parameters), lr, decay, 0
        self.states = [tuple(torch.zeros_like(p) for _ in range(3)) for p in self.parameters]

    @torch.no_grad()
    def step(self):
        self.step_count += 1
        t = self.step_count
        for parameter, (m, v, e) in zip(self.parameters, self.states):
            gradient = parameter.grad
            sensitivity = (parameter * gradient).abs()
            e.mul_(BETA0).add_(sensitivity, alpha=1 - BETA0)
            average = e / (1 - BETA0**t)
            variation = (sensitivity - average).abs()
            rate = (variation + SAGE_EPS) / (average + SAGE_EPS)
            m.mul_(BETA1).add_(gradient, alpha=1 - BETA1)
            v.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
            denominator = (v / (1 - BETA2**t)).sqrt_().add_(EPS)
            if self.decay:
                parameter.mul_(1 - self.lr * self.decay)
            parameter.sub_(self.lr * rate * (m / (1 - BETA1**t)) / denominator)


class Triad:
    """a ← a + s·b, in place: what the memory gives PyTorch."""

    def __init__(self, parameters):
        self.parameters = parameters

    @torch.no_grad()
    def step(self):
        for parameter in self.parameters:
            parameter.add_(parameter.grad, alpha=1e-9)


def adamw(**how):
    return lambda parameters: torch.optim.AdamW(parameters, lr=LR, betas=(BETA1, BETA2), eps=EPS, weight_decay=0.01, **how)


ARMS = {
    "fused": adamw(fused=True),
    "foreach": adamw(foreach=True),
    "loop": adamw(foreach=False, fused=False),
    "eager": EagerSage,
    "triad": Triad,
}


def make(size):
    ramp = torch.arange(size, dtype=torch.float32).mul_(0.618).frac_().sub_(0.5)
    parameter = torch.nn.Parameter(ramp * 0.2)
    parameter.grad = ramp.mul_(0.01)
    return parameter


def main():
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    parameters = [make(size) for size in options["sizes"]]
    offsets = [p.data_ptr() % 64 for p in parameters] + [p.grad.data_ptr() % 64 for p in parameters]
    conditions = {"torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability(), "aligned": not any(offsets)}
    print(json.dumps(conditions), flush=True)
    optimizers = {}
    for line in sys.stdin:
        arm = line.strip()
        optimizer = optimizers.get(arm) or optimizers.setdefault(arm, ARMS[arm](parameters))
        start = time.perf_counter()
        optimizer.step()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()

"""Recomputes `trajectories.json` from the equations of sensitivity-guided learning rates (Liang et al., ICLR 2022).

    python3 trajectories.py

Each case holds an optimizer's options, two small tensors (the second outside the scope `encoder.*`) and their gradients, all float64;
this program fills in `expected`, the parameters after steps 1, 2, 5, 10 and 25. Plain Python, one element at a time, no library: an
implementation that shares nothing with the one under test.
"""

import fnmatch
import json
import math
from pathlib import Path

SNAPSHOTS = (1, 2, 5, 10, 25)
MODULATIONS = {
    "sage": lambda u, i, e: (u + e) / (i + e),
    "product": lambda u, i, e: (i + e) * (u + e),
    "inverse": lambda u, i, e: (i + e) / (u + e),
    "average": lambda u, i, e: i + e,
    "reciprocal": lambda u, i, e: 1 / (i + e),
    "variation": lambda u, i, e: u + e,
}


def paper(kind, options, theta, gradients, in_scope):
    """The parameter after each step, in the form of the paper; a caller may move `options["lr"]` between steps, as a schedule does."""
    decay_rate = options.get("weightDecay", 0.0)
    decay = options.get("decay", "decoupled" if kind == "adamw" else "coupled")
    sage = options.get("sage") if in_scope else None
    beta0 = (sage or {}).get("beta0", 0.75)
    epsilon = (sage or {}).get("epsilon", 1e-12)
    beta1, beta2 = options.get("betas", (0.9, 0.999))
    m = v = e = 0.0
    for t, g in enumerate(gradients, 1):
        lr, r = options["lr"], 1.0
        if sage is not None:
            i = abs(theta * g)
            e = beta0 * e + (1 - beta0) * i
            i_hat = e if kind == "sgd" else e / (1 - beta0**t)
            r = MODULATIONS[sage.get("modulation", "sage")](abs(i - i_hat), i_hat, epsilon)
        if decay == "coupled":
            g = g + decay_rate * theta
        else:
            theta = theta - lr * (r if decay == "modulated" else 1.0) * decay_rate * theta
        if kind == "sgd":
            mu = options.get("momentum", 0.0)
            m = mu * m + g
            direction = g + mu * m if options.get("nesterov") else m
        elif kind == "adamax":
            m = beta1 * m + (1 - beta1) * g
            v = max(beta2 * v, abs(g) + options.get("eps", 1e-8))
            direction = m / (1 - beta1**t) / v
        else:
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            direction = m / (1 - beta1**t) / (math.sqrt(v / (1 - beta2**t)) + options.get("eps", 1e-8))
        theta = theta - lr * r * direction
        yield theta


def released(kind, options, theta, gradients, in_scope):
    """The parameter after each step, in the form of the authors' released code."""
    lr, decay_rate, eps = options["lr"], options.get("weightDecay", 0.0), options.get("eps", 1e-6)
    beta1, beta2 = options.get("betas", (0.9, 0.999))
    beta0 = options["sage"].get("beta0", 0.75)
    m = v = e = 0.0
    for t, g in enumerate(gradients, 1):
        i = abs(theta * g)
        e = beta0 * e + (1 - beta0) * i
        m = beta1 * m + (1 - beta1) * g
        if kind == "adamw":
            v = beta2 * v + (1 - beta2) * g * g
            i_hat = e / (1 - beta0**t)
            r = abs(i - i_hat) / (i_hat + eps * eps) if in_scope else 1.0
            theta = theta - lr * math.sqrt(1 - beta2**t) / (1 - beta1**t) * r * m / (math.sqrt(v) + eps)
            theta = theta - lr * decay_rate * theta
        else:
            v = max(beta2 * v, abs(g) + eps)
            r = abs(i - e) / (e + eps * eps) if in_scope else 1.0
            theta = theta - lr * r * (m / (v + eps) + decay_rate * theta)
        yield theta


def run(case):
    options = case["options"]
    sage = options.get("sage") or {}
    form = released if sage.get("form") == "released" else paper
    scope = sage.get("scope", "all")
    for tensor in case["parameters"]:
        in_scope = scope == "all" or any(fnmatch.fnmatchcase(tensor["name"], glob) for glob in scope["include"])
        columns = []
        for index, initial in enumerate(tensor["initial"]):
            gradients = [row[index] for row in tensor["gradients"]]
            columns.append(list(form(case["optimizer"], options, initial, gradients, in_scope)))
        tensor["expected"] = {str(t): [column[t - 1] for column in columns] for t in SNAPSHOTS}


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".json")
    cases = json.loads(path.read_text())
    for case in cases:
        run(case)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f"[\n{lines}\n]\n")

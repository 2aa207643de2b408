"""Writes `fine_tuning.json`: fine-tuning of the tiny BERT and RoBERTa folders by transformers and torch.optim, loss by loss.

    pip install torch==2.13.0 transformers==5.23.0 && python3 fine_tuning.py

Every arm takes the same 50 batches, of unequal numbers and lengths of sequences, through a `…ForSequenceClassification` without dropout, padded and
masked. Gradients are clipped to a norm of 1; biases and layer norms are in a group without decay. The rate is a LambdaLR's, lr·s(t) with s of
transformers' `get_linear_schedule_with_warmup` and t counted from 1: its own loops use s(t − 1), so that their first step changes nothing.

The arms with SAGE step by the plain-Python equations of `crates/optim/tests/golden/trajectories.py`, one element at a time, in float64. Those in the
released form are the recipe of the paper's GLUE runs: SAGE on what the released code names alone, ε 1e-6, and the rate of pytorch-pretrained-bert
0.6.0's `warmup_linear`, whose steps Adamax counts from 0; they step tensor by tensor, by rules that are held to those equations first.
An arm holds the losses before each step, the norms before clipping, and every STRIDE-th element of every parameter at the end.
"""

import itertools
import json
import random
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup, logging

HERE = Path(__file__).parent
CRATES = HERE.parents[1] / "crates"
sys.path.insert(0, str(CRATES / "optim" / "tests" / "golden"))
import trajectories  # noqa: E402

STEPS, WARMUP, STRIDE = 50, 5, 7
CLS, SEP, PAD_LIKE = 20, 21, 3  # neither family's special ids lie from PAD_LIKE to CLS
DECAY = 0.1
TASKS = [("bert", "classification", 3), ("bert", "regression", 1), ("roberta", "classification", 2), ("roberta", "regression", 1)]
# AdamW's decay is decoupled, the others' coupled.
TORCH = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "adamax": torch.optim.Adamax}
RATES = {"adamw": 2e-3, "adam": 2e-3, "adamax": 4e-3}
BETA0 = 0.7
RELEASED = {"eps": 1e-6, "warmupRatio": 0.1, "betas": (0.9, 0.999)}
# Parts of the names that the released code guides; `attention.output.dense` is one of the third.
GUIDED = ("attention.self", "intermediate.dense", "output.dense")


class Sage(torch.optim.Optimizer):
    """The equations behind torch's interface: a group is their options, so that LambdaLR moves the rate that they read."""

    def __init__(self, groups, kind, **options):
        super().__init__(groups, {"sage": {"beta0": BETA0}, **options})
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["thetas"] = [
                    trajectories.paper(kind, group, theta, self.gradients(state, index), True)
                    for index, theta in enumerate(p.detach().double().flatten().tolist())
                ]

    @staticmethod
    def gradients(state, index):
        return (state["gradient"][index] for _ in itertools.count())

    @torch.no_grad()
    def step(self):
        for p in itertools.chain.from_iterable(group["params"] for group in self.param_groups):
            state = self.state[p]
            state["gradient"] = p.grad.double().flatten().tolist()
            p.copy_(torch.tensor([next(theta) for theta in state["thetas"]], dtype=torch.float64).view_as(p))


class Released(torch.optim.Optimizer):
    """AdamW-SAGE and Adamax-SAGE in the form of the authors' released code, in float64; a group's `guided` says whether SAGE is on."""

    def __init__(self, groups, kind, multiplier, **options):
        super().__init__(groups, options)
        self.kind, self.multiplier, self.done = kind, multiplier, 0

    @torch.no_grad()
    def step(self):
        rate = self.multiplier(self.done + 1 if self.kind == "adamw" else self.done)
        self.done += 1
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update(theta=p.detach().double().clone(), m=0.0, v=0.0, e=0.0)
                self.move(state, p.grad.double(), rate, group)
                p.copy_(state["theta"])

    def move(self, state, g, rate, group):
        (beta1, beta2), eps, lr, decay, t = RELEASED["betas"], RELEASED["eps"], group["lr"], group["weightDecay"], self.done
        theta = state["theta"]
        sensitivity = (theta * g).abs()
        m = state["m"] = beta1 * state["m"] + (1 - beta1) * g
        e = state["e"] = BETA0 * state["e"] + (1 - BETA0) * sensitivity
        average = e / (1 - BETA0**t) if self.kind == "adamw" else e
        ratio = (sensitivity - average).abs() / (average + eps**2) if group["guided"] else 1.0
        if self.kind == "adamw":
            v = state["v"] = beta2 * state["v"] + (1 - beta2) * g**2
            theta = theta - lr * rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * ratio * m / (v.sqrt() + eps)
            state["theta"] = theta - lr * decay * theta  # by the rate before the schedule, and unguided
        else:
            v = state["v"] = torch.maximum(torch.as_tensor(beta2 * state["v"]), g.abs() + eps)
            state["theta"] = theta - lr * rate * ratio * (m / (v + eps) + decay * theta)


def check_released():
    """Holds the rules of Released to the equations, which have a constant rate."""
    gradients = torch.linspace(-0.3, 0.5, 12, dtype=torch.float64)
    for kind, guided in itertools.product(("adamw", "adamax"), (True, False)):
        p = torch.nn.Parameter(torch.tensor([0.4], dtype=torch.float64))
        stepper = Released([{"params": [p], "weightDecay": DECAY, "guided": guided}], kind, lambda step: 1.0, lr=RATES[kind])
        options = {"lr": RATES[kind], "weightDecay": DECAY, "eps": RELEASED["eps"], "sage": {"beta0": BETA0}}
        for g, expected in zip(gradients, trajectories.released(kind, options, 0.4, gradients.tolist(), guided)):
            p.grad = g.view(1)
            stepper.step()
            assert abs(p.item() - expected) < 1e-13, (kind, guided, p.item(), expected)


def warmup_linear(step):
    x = step / STEPS
    return x / RELEASED["warmupRatio"] if x < RELEASED["warmupRatio"] else 1 - x


def released(model, kind):
    groups = {}
    for name, p in model.named_parameters():
        key = (0.0 if name.endswith("bias") or "LayerNorm" in name else DECAY, any(part in name for part in GUIDED))
        groups.setdefault(key, []).append(p)
    groups = [{"params": parameters, "weightDecay": decay, "guided": guided} for (decay, guided), parameters in groups.items()]
    return Released(groups, kind, warmup_linear, lr=RATES[kind])


def batches():
    """Rows of ids with their types, and what is to be learnt: the first word decides."""
    chance = random.Random(1)
    for _ in range(STEPS):
        batch = {"tokens": [], "types": [], "words": []}
        for _ in range(chance.randint(2, 6)):
            words = [chance.randrange(PAD_LIKE, CLS) for _ in range(chance.randint(1, 14))]
            second = chance.randrange(len(words) + 1)
            batch["tokens"].append([CLS, *words, SEP])
            batch["types"].append([0] * (1 + second) + [1] * (len(words) + 1 - second))
            batch["words"].append(words[0])
        yield batch


def padded(rows, fill):
    longest = max(map(len, rows))
    return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])


def inputs(family, kind, classes, batch, pad):
    given = {"input_ids": padded(batch["tokens"], pad), "attention_mask": padded([[1] * len(row) for row in batch["tokens"]], 0)}
    if family == "bert":
        given["token_type_ids"] = padded(batch["types"], 0)
    words = torch.tensor(batch["words"])
    return given | {"labels": words % classes if kind == "classification" else (words - 11) / 4}


def start(family, kind, classes):
    """The folder's encoder under a head drawn here, and that head by name."""
    problem = "single_label_classification" if kind == "classification" else "regression"
    off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}
    folder = CRATES / "models" / "tests" / "golden" / f"{family}-tiny"
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=classes, problem_type=problem, ignore_mismatched_sizes=True, **off
    )
    torch.manual_seed(1)
    head = {name: p for name, p in model.named_parameters() if "pooler" in name or name.startswith("classifier")}
    with torch.no_grad():
        for p in head.values():
            p.copy_((torch.randn_like(p) * 0.3).round(decimals=4))
    return model.train(), {name: p.detach().flatten().tolist() for name, p in head.items()}


def optimizer(model, kind, sage):
    groups = {DECAY: [], 0.0: []}
    for name, p in model.named_parameters():
        groups[0.0 if name.endswith("bias") or "LayerNorm" in name else DECAY].append(p)
    key = "weightDecay" if sage else "weight_decay"
    groups = [{"params": parameters, key: decay} for decay, parameters in groups.items()]
    return Sage(groups, kind, lr=RATES[kind]) if sage else TORCH[kind](groups, lr=RATES[kind])


def scheduled(model, name, sage):
    """An optimizer, and what has its rate follow the schedule."""
    stepper = optimizer(model, name, sage)
    multiplier = get_linear_schedule_with_warmup(torch.optim.SGD(model.parameters()), WARMUP, STEPS).lr_lambdas[0]
    return stepper, torch.optim.lr_scheduler.LambdaLR(stepper, lambda done: multiplier(done + 1)).step


def arm(family, kind, classes, name, sage, data, form=None):
    model, _ = start(family, kind, classes)
    stepper, schedule = scheduled(model, name, sage) if form is None else (released(model, name), lambda: None)
    losses, norms = [], []
    for batch in data:
        loss = model(**inputs(family, kind, classes, batch, model.config.pad_token_id)).loss
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        stepper.step()
        schedule()
        stepper.zero_grad()
        losses.append(loss.item())
    final = {name: short(p.detach().flatten()[::STRIDE].tolist()) for name, p in model.named_parameters()}
    return {"task": f"{family}-{kind}", "optimizer": name, "sage": sage, **({} if form is None else {"form": form}), "losses": short(losses), "norms": short(norms), "final": final}


def short(numbers):
    return [float(f"{number:.7g}") for number in numbers]


def main():
    torch.set_num_threads(1)
    check_released()
    logging.set_verbosity_error()  # that a head is of another size is why it is drawn here
    data = list(batches())
    tasks = {f"{task[0]}-{task[1]}": {"folder": f"{task[0]}-tiny", "kind": task[1], "classes": task[2], "head": start(*task)[1]} for task in TASKS}
    arms = [arm(*task, name, False, data) for task in TASKS for name in TORCH]
    arms += [arm(*task, name, True, data) for task in (TASKS[0], TASKS[3]) for name in TORCH]
    arms += [arm(*task, name, True, data, "released") for task in TASKS[::2] for name in ("adamw", "adamax")]
    options = {"steps": STEPS, "warmupSteps": WARMUP, "stride": STRIDE, "weightDecay": DECAY, "beta0": BETA0, "rates": RATES, "released": RELEASED}
    parts = [f'"options":{json.dumps(options)}', f'"tasks":{json.dumps(tasks)}', f'"batches":{lines(data)}', f'"arms":{lines(arms)}']
    (HERE / "fine_tuning.json").write_text("{" + ",\n".join(parts) + "}\n")


def lines(values):
    return "[\n" + ",\n".join(json.dumps(value, separators=(",", ":")) for value in values) + "\n]"


if __name__ == "__main__":
    main()

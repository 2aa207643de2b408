"""Writes `fine_tuning.json`: fine-tuning of the tiny BERT and RoBERTa folders by transformers and torch.optim, loss by loss.

    pip install torch==2.13.0 transformers==5.23.0 && python3 fine_tuning.py

Every arm takes the same 50 batches, of unequal numbers and lengths of sequences, through a `…ForSequenceClassification` without dropout, padded and
masked. Gradients are clipped to a norm of 1; biases and layer norms are in a group without decay. The rate is a LambdaLR's, lr·s(t) with s of
transformers' `get_linear_schedule_with_warmup` and t counted from 1: its own loops use s(t − 1), so that their first step changes nothing.

The arms with SAGE step by the plain-Python equations of `crates/optim/tests/golden/trajectories.py`, one element at a time, in float64.
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


def arm(family, kind, classes, name, sage, data):
    model, _ = start(family, kind, classes)
    stepper = optimizer(model, name, sage)
    multiplier = get_linear_schedule_with_warmup(torch.optim.SGD(model.parameters()), WARMUP, STEPS).lr_lambdas[0]
    schedule = torch.optim.lr_scheduler.LambdaLR(stepper, lambda done: multiplier(done + 1))
    losses, norms = [], []
    for batch in data:
        loss = model(**inputs(family, kind, classes, batch, model.config.pad_token_id)).loss
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        stepper.step()
        schedule.step()
        stepper.zero_grad()
        losses.append(loss.item())
    final = {name: short(p.detach().flatten()[::STRIDE].tolist()) for name, p in model.named_parameters()}
    return {"task": f"{family}-{kind}", "optimizer": name, "sage": sage, "losses": short(losses), "norms": short(norms), "final": final}


def short(numbers):
    return [float(f"{number:.7g}") for number in numbers]


def main():
    torch.set_num_threads(1)
    logging.set_verbosity_error()  # that a head is of another size is why it is drawn here
    data = list(batches())
    tasks = {f"{task[0]}-{task[1]}": {"folder": f"{task[0]}-tiny", "kind": task[1], "classes": task[2], "head": start(*task)[1]} for task in TASKS}
    arms = [arm(*task, name, False, data) for task in TASKS for name in TORCH]
    arms += [arm(*task, name, True, data) for task in (TASKS[0], TASKS[3]) for name in TORCH]
    options = {"steps": STEPS, "warmupSteps": WARMUP, "stride": STRIDE, "weightDecay": DECAY, "beta0": BETA0, "rates": RATES}
    parts = [f'"options":{json.dumps(options)}', f'"tasks":{json.dumps(tasks)}', f'"batches":{lines(data)}', f'"arms":{lines(arms)}']
    (HERE / "fine_tuning.json").write_text("{" + ",\n".join(parts) + "}\n")


def lines(values):
    return "[\n" + ",\n".join(json.dumps(value, separators=(",", ":")) for value in values) + "\n]"


if __name__ == "__main__":
    main()

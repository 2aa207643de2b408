"""Writes smoothness.json and smoothness-gradients.safetensors: SMART's regularisation of the folders that bert.py writes.

The formulas are MT-DNN's (mt_dnn/perturbation.py and loss.py of 2021, the code that came with SAGE), with one correction: perturbed embeddings
go into the layers as they are (its issue 230). Dropout is off; the noise is Philox's. All in double precision.

    pip install torch==2.13.0 transformers==5.23.0 safetensors && python smoothness.py
"""
import itertools
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import BertForSequenceClassification, RobertaForSequenceClassification

HERE = pathlib.Path(__file__).parent
CLASSES = {"bert": BertForSequenceClassification, "roberta": RobertaForSequenceClassification}
SEED, STEP, STREAM = 0x0123_4567_89AB, 9, 0xFFFF_FFFF
GUARD = 1e-6
SETTINGS = [
    {"weight": weight, "noise": 0.05, "stepSize": size, "steps": steps, "radius": radius, "norm": norm}
    for (norm, radius), (steps, size, weight) in itertools.product(
        [("infinity", 0.3), ("euclidean", 0.5)], [(1, 0.2, 1.0), (2, 0.1, 3.0)]
    )
]


def philox(counter):
    """Philox4x32-10's four words."""
    x, key = [counter, STREAM, STEP & 0xFFFF_FFFF, STEP >> 32], [SEED & 0xFFFF_FFFF, SEED >> 32]
    for _ in range(10):
        first, second = 0xD251_1F53 * x[0], 0xCD9E_8D57 * x[2]
        x = [second >> 32 ^ x[1] ^ key[0], second & 0xFFFF_FFFF, first >> 32 ^ x[3] ^ key[1], first & 0xFFFF_FFFF]
        key = [(key[0] + 0x9E37_79B9) & 0xFFFF_FFFF, (key[1] + 0xBB67_AE85) & 0xFFFF_FFFF]
    return x


def normals(count):
    """Box and Muller's transform of its words, two numbers a pair."""
    out = []
    for counter in range((count + 3) // 4):
        a, b, c, d = philox(counter)
        for u, v in ((a, b), (c, d)):
            radius, angle = math.sqrt(-2 * math.log((u + 1) / 2**32)), 2 * math.pi * v / 2**32
            out += [radius * math.cos(angle), radius * math.sin(angle)]
    return torch.tensor(out[:count], dtype=torch.float64)


def embed(kind, model, rows):
    """Packed embeddings after their norm, `[tokens, width]`."""
    types = rows.get("types", [None] * len(rows["tokens"]))
    inputs = lambda tokens, types: {"input_ids": torch.tensor([tokens]), **({"token_type_ids": torch.tensor([types])} if kind == "bert" else {})}
    return torch.cat([model.base_model.embeddings(**inputs(*row))[0] for row in zip(rows["tokens"], types)])


def say(kind, model, embeddings, rows):
    """Logits of packed embeddings that go straight into the layers; each sequence by itself, so that nothing is padded."""
    out = []
    for x in embeddings.split([len(row) for row in rows["tokens"]]):
        hidden = model.base_model.encoder(x[None]).last_hidden_state
        out.append(model.classifier(model.base_model.pooler(hidden)) if kind == "bert" else model.classifier(hidden))
    return torch.cat(out)


def stable_kl(logits, target):
    p, y = logits.softmax(-1), target.softmax(-1)
    rp = -(1.0 / (p + GUARD) - 1 + GUARD).detach().log()
    ry = -(1.0 / (y + GUARD) - 1 + GUARD).detach().log()
    return (p * (rp - ry) * 2).sum()


def symmetric_kl(one, other):
    way = lambda input, target: F.kl_div(input.log_softmax(-1), target.detach().softmax(-1), reduction="sum")
    return way(one, other) + way(other, one)


def scaled(delta, setting):
    size = delta.abs().amax(-1, keepdim=True) if setting["norm"] == "infinity" else delta.norm(dim=-1, keepdim=True)
    return setting["radius"] * delta / (size + GUARD)


def term(kind, model, rows, clean, setting):
    embeddings = embed(kind, model, rows)
    delta = setting["noise"] * normals(embeddings.numel()).view_as(embeddings)
    for _ in range(setting["steps"]):
        delta.requires_grad_()
        said, target = say(kind, model, embeddings + delta, rows), clean.detach()
        apart = stable_kl(said, target) if kind == "bert" else F.mse_loss(said, target, reduction="sum")
        (gradient,) = torch.autograd.grad(apart, delta)
        delta = scaled(delta + setting["stepSize"] * gradient, setting).detach()
    said = say(kind, model, embeddings + delta, rows)
    return (symmetric_kl(clean, said) if kind == "bert" else F.mse_loss(clean, said, reduction="sum")), delta


def task_loss(kind, logits, rows):
    if kind == "bert":
        return F.cross_entropy(logits, torch.tensor(rows["label"]), reduction="sum")
    return F.mse_loss(logits[:, 0], torch.tensor(rows["target"]).double(), reduction="sum")


def main():
    batch = json.loads((HERE / "bert.json").read_text())["batch"]
    cases, gradients = [], {}
    for kind, (index, setting) in itertools.product(CLASSES, enumerate(SETTINGS)):
        model, rows = CLASSES[kind].from_pretrained(HERE / f"{kind}-tiny", attn_implementation="eager").double().eval(), batch[kind]
        clean = say(kind, model, embed(kind, model, rows), rows)
        loss = task_loss(kind, clean, rows)
        apart, delta = term(kind, model, rows, clean, setting)
        (loss + setting["weight"] * apart).backward()
        cases.append({"folder": f"{kind}-tiny", "smoothness": setting, "loss": loss.item(), "term": apart.item()})
        for name, parameter in model.named_parameters():
            gradients[f"{kind}/{index}/{name}"] = parameter.grad.float().contiguous()
        print(kind, setting, loss.item(), apart.item(), delta.abs().max().item())
    save_file(gradients, HERE / "smoothness-gradients.safetensors")
    (HERE / "smoothness.json").write_text(json.dumps({"seed": SEED, "step": STEP, "cases": cases}) + "\n")


main()

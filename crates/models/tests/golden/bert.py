"""Writes bert-tiny/, roberta-tiny/ and bert-sharded/ (folders as transformers saves them), bert.json and {bert,roberta}-gradients.safetensors.

    pip install torch==2.13.0 transformers==5.24.0 safetensors && python bert.py
"""
import json
import pathlib
import shutil

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import (
    BertConfig, BertForPreTraining, BertForSequenceClassification, RobertaConfig, RobertaForSequenceClassification,
)

HERE = pathlib.Path(__file__).parent
SMOOTHING = 0.1
BATCH = {
    "bert": {
        "tokens": [[20, 5, 9, 21], [20, 3, 17, 21, 8, 8, 4, 21], [20, 21], [20, 11, 12, 13, 14, 15, 21]],
        "types": [[0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1], [0, 0], [0, 0, 0, 0, 0, 0, 0]],
        "label": [2, 0, 1, 2],
    },
    "roberta": {
        "tokens": [[0, 5, 9, 2], [0, 3, 17, 2, 2, 8, 8, 4, 2], [0, 2], [0, 11, 12, 13, 14, 15, 2]],
        "target": [0.5, -1.25, 2.0, 3.5],
    },
}
# The padding's id among the tokens, as where a text spells it out; RoBERTa does not count a position for it.
SPELT = {"tokens": [[0, 5, 1, 9, 2], [0, 1, 1, 3, 17, 2, 2, 8, 1, 2], [1, 0, 2], [0, 11, 1, 2]]}
TYPED = {"tokens": BATCH["roberta"]["tokens"], "types": [[index % 2 for index, _ in enumerate(row)] for row in BATCH["roberta"]["tokens"]]}
SIZES = {
    "vocab_size": 23, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20,
    "attn_implementation": "eager",
}
CONFIGS = {
    "bert": lambda **more: BertConfig(
        **SIZES, max_position_embeddings=16, id2label={0: "no", 1: "maybe", 2: "yes"}, label2id={"no": 0, "maybe": 1, "yes": 2},
        problem_type="single_label_classification", **more,
    ),
    "roberta": lambda **more: RobertaConfig(
        **SIZES, max_position_embeddings=18, layer_norm_eps=1e-5, type_vocab_size=1, num_labels=1, problem_type="regression",
        classifier_dropout=0.2, **more,
    ),
}
CLASSES = {"bert": BertForSequenceClassification, "roberta": RobertaForSequenceClassification}


def randomise(model):
    torch.manual_seed(1)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            p.copy_(torch.randn_like(p) * 0.3 + (1.0 if "LayerNorm.weight" in name else 0.0))
    return model.eval()


def padded(rows, fill):
    longest = max(map(len, rows))
    return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])


def run(kind, model, types=True, batch=None):
    """Packed hidden states, pooled first tokens and logits."""
    batch = batch or BATCH[kind]
    rows = batch["tokens"]
    inputs = {"input_ids": padded(rows, model.config.pad_token_id), "attention_mask": padded([[1] * len(row) for row in rows], 0)}
    if types and "types" in batch:
        inputs["token_type_ids"] = padded(batch["types"], 0)
    logits = model(**inputs).logits
    body = model.base_model(**inputs)
    hidden = body.last_hidden_state
    pooled = body.pooler_output if kind == "bert" else torch.tanh(model.classifier.dense(hidden[:, 0]))
    return torch.cat([hidden[i, : len(row)] for i, row in enumerate(rows)]), pooled, logits


def numbers(x):
    return [round(value, 8) for value in x.detach().double().flatten().tolist()]


def case(kind, state, changes, types=True, batch=None):
    """What a model of these weights and a changed config computes, of a batch of its own where there is one."""
    config = CONFIGS[kind]()
    config.update(changes)
    model = CLASSES[kind](config)
    model.load_state_dict(state)
    hidden, pooled, logits = map(numbers, run(kind, model.eval(), types, batch))
    own = {} if batch is None else {"batch": batch}
    return {"folder": f"{kind}-tiny", "config": changes, "types": types, **own, "hidden": hidden, "pooled": pooled, "logits": logits}


def loss(kind, logits):
    if kind == "roberta":
        return ((logits[:, 0] - torch.tensor(BATCH[kind]["target"])) ** 2).sum()
    log_p, labels = F.log_softmax(logits, -1), torch.tensor(BATCH[kind]["label"])
    nll = -log_p.gather(1, labels[:, None]).sum()
    spread = SMOOTHING / (logits.shape[-1] - 1)
    return (1.0 - SMOOTHING - spread) * nll + spread * -log_p.sum()


def save(model, folder, **options):
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, **options)


def main():
    out = {"smoothing": SMOOTHING, "batch": BATCH, "cases": [], "loss": {}}
    for kind in CLASSES:
        model = randomise(CLASSES[kind](CONFIGS[kind]()))
        save(model, HERE / f"{kind}-tiny")
        state = model.state_dict()
        for activation in ["gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate", "relu", "silu"]:
            out["cases"].append(case(kind, state, {"hidden_act": activation}))
        value = loss(kind, run(kind, model)[2])
        value.backward()
        out["loss"][kind] = value.item()
        gradients = {name: p.grad.contiguous() for name, p in model.named_parameters()}
        save_file(gradients, HERE / f"{kind}-gradients.safetensors")
        if kind == "bert":
            out["cases"] += [case(kind, state, {"layer_norm_eps": eps}) for eps in (1e-5, 0.1)]
            out["cases"].append(case(kind, state, {}, types=False))
            table = "bert.embeddings.token_type_embeddings.weight"
            out["cases"].append(case(kind, state | {table: state[table][:1].clone()}, {"type_vocab_size": 1}, types=False))
            pretraining = randomise(BertForPreTraining(CONFIGS[kind]()))
            pretraining.bert.load_state_dict(model.bert.state_dict())
            save(pretraining, HERE / "bert-sharded", max_shard_size="6KB")
        else:
            out["cases"].append(case(kind, state, {}, batch=SPELT))
            out["cases"] += [case(kind, state, {"pad_token_id": pad}) for pad in (0, 3)]
            table = "roberta.embeddings.token_type_embeddings.weight"
            two = torch.cat([state[table], torch.zeros_like(state[table])])
            out["cases"].append(case(kind, state | {table: two}, {"type_vocab_size": 2}, batch=TYPED))
    (HERE / "bert.json").write_text(json.dumps(out) + "\n")


main()

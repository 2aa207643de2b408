"""Saves encoders that transformers made, with random weights, and prints the last hidden states and logits (if any) of each, as JSON.

    python bert_models.py FOLDER '{"tokens": [[…]]}' '[{"class": …, "config": {…}, "save": {…}, "dtype": …, "gamma": …}, …]'

Model number i goes into FOLDER/i. `gamma` gives norms the names that models converted from TensorFlow have.
"""
import json
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file


def make(cls, config):
    torch.manual_seed(1)
    model = cls(cls.config_class(**config)).eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            p.copy_(torch.randn_like(p) * 0.2 + (1.0 if "LayerNorm.weight" in key else 0.0))
    return model


def old_names(folder):
    file = f"{folder}/model.safetensors"
    rename = lambda key: key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    tensors = {rename(key): value.clone() for key, value in load_file(file).items()}
    body = next(key for key in tensors if key.endswith("embeddings.word_embeddings.weight")).removesuffix("word_embeddings.weight")
    tensors[body + "position_ids"] = torch.arange(20)[None]
    save_file(tensors, file, {"format": "pt"})


def outputs(model, batch):
    hidden, logits = [], []
    for tokens in batch["tokens"]:
        found = model(torch.tensor([tokens]), output_hidden_states=True)
        hidden += found.hidden_states[-1][0].flatten().tolist()
        if "SequenceClassification" in type(model).__name__:
            logits += found.logits[0].tolist()
    return {"hidden": hidden, "logits": logits}


folder, batch, wanted = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
found = []
for index, one in enumerate(wanted):
    model = make(getattr(transformers, one["class"]), one["config"])
    kind = getattr(torch, one.get("dtype", "float32"))
    model.to(kind).save_pretrained(f"{folder}/{index}", **one.get("save", {}))
    if one.get("gamma"):
        old_names(f"{folder}/{index}")
    found.append(outputs(model.float(), batch))
print(json.dumps(found))

"""Saves models that transformers made, with random weights, and prints the logits of each, as JSON.

    python transformers_models.py FOLDER '{"source": [[…]], "target": [[…]]}' '[{"class": …, "config": {…}, "unusual": […]}, …]'

Model number i goes into FOLDER/i. `unusual` says what older folders have: "positions" the sinusoids, "copies" every tied table.
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
            if "embed_positions" not in key:
                p.copy_(torch.randn_like(p) * 0.2 + (1.0 if "norm.weight" in key else 0.0))
        model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias) * 0.1)
    return model


def save(model, folder, unusual):
    model.save_pretrained(folder)
    file = f"{folder}/model.safetensors"
    tensors, state = load_file(file), model.state_dict()
    if "positions" in unusual:
        tensors |= {key: value for key, value in state.items() if "embed_positions" in key}
    if "copies" in unusual:
        tensors |= {key: value for key, value in state.items() if "embed_tokens" in key or "lm_head" in key}
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, file, {"format": "pt"})


def logits(model, batch):
    values, start = [], model.config.decoder_start_token_id
    for source, target in zip(batch["source"], batch["target"]):
        inputs = {"input_ids": torch.tensor([source]), "decoder_input_ids": torch.tensor([[start] + target[:-1]])}
        values += model(**inputs).logits[0].flatten().tolist()
    return values


folder, batch, wanted = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
found = []
for index, one in enumerate(wanted):
    model = make(getattr(transformers, one["class"]), one["config"])
    save(model, f"{folder}/{index}", one["unusual"])
    found.append(logits(model, batch))
print(json.dumps(found))

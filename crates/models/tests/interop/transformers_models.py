"""Saves a model that transformers made, with random weights, and prints what it computes, as JSON.

    python transformers_models.py FOLDER CLASS '{"d_model": 32, …}' '{"source": [[…]], "target": [[…]]}' '["stored positions", …]'

The last argument says what is unusual about the folder: "positions" stores the sinusoids, "copies" stores every tied table.
"""
import json
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file

folder, name, settings, batch, unusual = sys.argv[1], sys.argv[2], *map(json.loads, sys.argv[3:6])
cls = getattr(transformers, name)
config = cls.config_class(**settings)
torch.manual_seed(1)
model = cls(config).eval()
with torch.no_grad():
    for key, p in model.named_parameters():
        if "embed_positions" not in key:
            p.copy_(torch.randn_like(p) * 0.2 + (1.0 if "norm.weight" in key else 0.0))
    model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias) * 0.1)
model.save_pretrained(folder)

file = f"{folder}/model.safetensors"
tensors, state = load_file(file), model.state_dict()
if "positions" in unusual:
    tensors |= {key: value for key, value in state.items() if "embed_positions" in key}
if "copies" in unusual:
    tensors |= {key: value for key, value in state.items() if "embed_tokens" in key or "lm_head" in key}
save_file({key: value.clone().contiguous() for key, value in tensors.items()}, file, {"format": "pt"})

logits, start = [], config.decoder_start_token_id
for source, target in zip(batch["source"], batch["target"]):
    inputs = {"input_ids": torch.tensor([source]), "decoder_input_ids": torch.tensor([[start] + target[:-1]])}
    logits += model(**inputs).logits[0].flatten().tolist()
print(json.dumps({"logits": logits, "names": sorted(tensors)}))

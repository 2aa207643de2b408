"""Loads a model folder with transformers and prints what it computes, as JSON.

    python transformers_logits.py FOLDER '{"source": [[…]], "target": [[…]]}'
"""
import json
import sys

import torch
from transformers import AutoModelForSeq2SeqLM, GenerationConfig

folder, batch = sys.argv[1], json.loads(sys.argv[2])
model, report = AutoModelForSeq2SeqLM.from_pretrained(folder, output_loading_info=True)
model.eval()
start = model.config.decoder_start_token_id
logits, greedy = [], []
for source, target in zip(batch["source"], batch["target"]):
    inputs = {"input_ids": torch.tensor([source]), "decoder_input_ids": torch.tensor([[start] + target[:-1]])}
    logits += model(**inputs).logits[0].flatten().tolist()
    greedy.append(model.generate(torch.tensor([source]), num_beams=1, do_sample=False, max_length=9)[0].tolist())
print(json.dumps({
    "class": type(model).__name__,
    "missing": sorted(report["missing_keys"]),
    "unexpected": sorted(report["unexpected_keys"]),
    "mismatched": sorted(map(str, report["mismatched_keys"])),
    "generation": GenerationConfig.from_pretrained(folder).to_diff_dict(),
    "logits": logits,
    "greedy": greedy,
}))

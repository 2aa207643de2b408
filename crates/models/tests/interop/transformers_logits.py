"""Loads model folders with transformers and prints what they compute, as JSON: a list of reports, or of errors.

    python transformers_logits.py '{"source": [[…]], "target": [[…]]}' FOLDER…
"""
import json
import sys

import torch
from transformers import AutoModelForSeq2SeqLM, GenerationConfig


def report(folder, batch):
    model, found = AutoModelForSeq2SeqLM.from_pretrained(folder, output_loading_info=True)
    model.eval()
    start = model.config.decoder_start_token_id
    logits, greedy = [], []
    for source, target in zip(batch["source"], batch["target"]):
        inputs = {"input_ids": torch.tensor([source]), "decoder_input_ids": torch.tensor([[start] + target[:-1]])}
        logits += model(**inputs).logits[0].flatten().tolist()
        greedy.append(model.generate(torch.tensor([source]), num_beams=1, do_sample=False, max_length=9)[0].tolist())
    return {
        "class": type(model).__name__,
        "missing": sorted(found["missing_keys"]),
        "unexpected": sorted(found["unexpected_keys"]),
        "mismatched": sorted(map(str, found["mismatched_keys"])),
        "generation": GenerationConfig.from_pretrained(folder).to_diff_dict(),
        "logits": logits,
        "greedy": greedy,
    }


def attempt(folder, batch):
    try:
        return report(folder, batch)
    except ValueError as error:
        return {"error": str(error)}


batch = json.loads(sys.argv[1])
print(json.dumps([attempt(folder, batch) for folder in sys.argv[2:]]))

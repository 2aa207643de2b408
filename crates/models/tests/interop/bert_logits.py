"""Loads sequence classifiers with transformers and prints what they compute, as JSON: a list of reports, or of errors.

    python bert_logits.py '{"tokens": [[…]], "types": [[…]]}' FOLDER…
"""
import json
import sys

import torch
from transformers import AutoModel, AutoModelForSequenceClassification


def report(folder, batch):
    model, found = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    model.eval()
    bare = AutoModel.from_pretrained(folder).eval()
    logits, hidden = [], []
    for tokens, types in zip(batch["tokens"], batch["types"]):
        inputs = {"input_ids": torch.tensor([tokens])}
        if model.config.type_vocab_size > 1:
            inputs["token_type_ids"] = torch.tensor([types])
        logits += model(**inputs).logits[0].tolist()
        hidden += bare(**inputs).last_hidden_state[0].flatten().tolist()
    return {
        "class": type(model).__name__,
        "missing": sorted(found["missing_keys"]),
        "unexpected": sorted(found["unexpected_keys"]),
        "mismatched": sorted(map(str, found["mismatched_keys"])),
        "dtype": str(model.dtype),
        "labels": [model.config.id2label[index] for index in range(model.config.num_labels)],
        "problem": model.config.problem_type,
        "logits": logits,
        "hidden": hidden,
    }


def attempt(folder, batch):
    try:
        return report(folder, batch)
    except Exception as error:
        return {"error": str(error)}


batch = json.loads(sys.argv[1])
print(json.dumps([attempt(folder, batch) for folder in sys.argv[2:]]))

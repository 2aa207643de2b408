"""Classifies with what transformers makes of fine-tuned models' folders, tokenizers included, and prints it as JSON, an entry a folder.

    python classifier_interop.py FOLDER '["…"]' FOLDER '[["…", "…"]]' …     # texts, or pairs of them
"""
import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def classified(folder, texts):
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    columns = [texts] if isinstance(texts[0], str) else [list(column) for column in zip(*texts)]
    with torch.no_grad():
        logits = model(**tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")).logits
    labels = [model.config.id2label[index] for index in range(logits.shape[1])]
    return {"class": type(model).__name__, "labels": labels, "longest": tokenizer.model_max_length, "probabilities": logits.softmax(-1).tolist()}


print(json.dumps([classified(folder, json.loads(texts)) for folder, texts in zip(sys.argv[1::2], sys.argv[2::2])]))

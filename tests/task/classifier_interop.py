"""Classifies with what transformers makes of a fine-tuned model's folder, tokenizer included, and prints it as JSON.

    python classifier_interop.py FOLDER '["…"]'
"""
import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder, texts = sys.argv[1], json.loads(sys.argv[2])
model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
with torch.no_grad():
    logits = model(**tokenizer(texts, padding=True, truncation=True, return_tensors="pt")).logits
labels = [model.config.id2label[index] for index in range(logits.shape[1])]
print(json.dumps({"class": type(model).__name__, "labels": labels, "longest": tokenizer.model_max_length, "probabilities": logits.softmax(-1).tolist()}))

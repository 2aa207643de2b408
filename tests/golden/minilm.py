"""What transformers says of real weights, all-MiniLM-L6-v2 under a classifier that a formula gives: minilm.json.

    VENV/bin/python tests/golden/minilm.py FOLDER     # FOLDER: what `sagetrain weights all-MiniLM-L6-v2` prints; torch 2.13, transformers 5.23
"""
import json
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertForSequenceClassification

TEXTS = [
    'A masterful film from a master filmmaker, unique in its deceptive grimness, compelling in its fatalist worldview.',
    'Effective but too tepid biopic',
    "It doesn't work.",
    'Ünïcödé, emoji 🎬 and 12,345.67 numbers — all in ONE line!',
    'x',
    ' '.join(['long'] * 600),
]
PAIRS = [['Princeton plays Yale this weekend', 'Charlie likes to play Mary'], ['a', ' '.join(['pair'] * 700)]]
CLASSES = 3


def classifier(width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights [classes, width] and biases that any program can make."""
    places = torch.arange(CLASSES * width, dtype=torch.float64)
    return (torch.sin(places) / 4).to(torch.float32).reshape(CLASSES, width), torch.tensor([0.1, -0.2, 0.3])


def main() -> None:
    folder = sys.argv[1]
    model = BertForSequenceClassification.from_pretrained(folder, num_labels=CLASSES).eval()
    weight, bias = classifier(model.config.hidden_size)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        model.classifier.weight.copy_(weight)
        model.classifier.bias.copy_(bias)
        inputs = [[text] for text in TEXTS] + PAIRS
        encoded = [tokenizer(*texts, truncation=True, max_length=512, return_tensors='pt') for texts in inputs]
        probabilities = [model(**tokens).logits.double().softmax(-1)[0].tolist() for tokens in encoded]
    golden = [{'text': texts, 'probabilities': [round(value, 9) for value in row]} for texts, row in zip(inputs, probabilities)]
    Path(__file__).with_suffix('.json').write_text(json.dumps(golden, ensure_ascii=False, indent=1) + '\n')


main()

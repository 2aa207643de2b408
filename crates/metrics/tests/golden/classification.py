"""Writes classification.json: scikit-learn's scores of predicted classes, random, one-sided, extremely imbalanced and undefined ones.

    pip install scikit-learn==1.9.1
    python classification.py

A case holds its samples as [label, prediction, times]. F1 is null where scikit-learn refuses to call the classes binary.
"""

import json
import random
import warnings
from collections import Counter
from pathlib import Path

from sklearn import metrics

warnings.simplefilter("ignore")


def binary_f1(labels, predictions, positive):
    try:
        return float(metrics.f1_score(labels, predictions, pos_label=positive))
    except ValueError:
        return None


def case(name, samples, positive=1):
    labels = [label for label, _, times in samples for _ in range(times)]
    predictions = [prediction for _, prediction, times in samples for _ in range(times)]
    return {
        "name": name,
        "samples": samples,
        "positive": positive,
        "accuracy": float(metrics.accuracy_score(labels, predictions)),
        "f1": binary_f1(labels, predictions, positive),
        "macroF1": float(metrics.f1_score(labels, predictions, average="macro")),
        "matthews": float(metrics.matthews_corrcoef(labels, predictions)),
        "classes": sorted(set(labels) | set(predictions)),
        "counts": metrics.confusion_matrix(labels, predictions).tolist(),
    }


def drawn(draw, classes, count, right):
    """Samples of which a share is right, the others of any class."""
    samples = []
    for _ in range(count):
        label = draw.choice(classes)
        samples.append((label, label if draw.random() < right else draw.choice(classes)))
    return [[*pair, times] for pair, times in sorted(Counter(samples).items())]


draw = random.Random(20220425)
cases = []
for classes in ([0, 1], [0, 1, 2], [-7, 3, 100, 2_000_000_000], list(range(40))):
    for count, right in ((2, 0.5), (17, 0.0), (200, 0.3), (3000, 0.9)):
        cases.append(case(f"{len(classes)} classes, {count} samples, {right} right", drawn(draw, classes, count, right)))
cases += [
    case("the other class is the positive one", drawn(draw, [0, 1], 300, 0.6), positive=0),
    case("all right", [[0, 0, 5], [1, 1, 3]]),
    case("all wrong", [[0, 1, 5], [1, 0, 3]]),
    case("one sample, right", [[1, 1, 1]]),
    case("one sample, wrong", [[1, 0, 1]]),
    case("no positive at all", [[0, 0, 9]]),
    case("nothing but positives", [[1, 1, 9]]),
    case("no positive predicted", [[0, 0, 70], [1, 0, 30]]),
    case("only positives predicted", [[0, 1, 70], [1, 1, 30]]),
    case("one class labelled, two predicted", [[0, 0, 6], [0, 1, 4]]),
    case("one in a million, found", [[0, 0, 999_998], [0, 1, 1], [1, 1, 1]]),
    case("one in a million, missed", [[0, 0, 999_998], [0, 1, 1], [1, 0, 1]]),
    case("all but one of three classes", [[0, 0, 500_000], [1, 1, 2], [1, 0, 1], [2, 0, 1]]),
    case("three classes are not binary", [[0, 0, 3], [1, 1, 4], [2, 1, 5]]),
    case("two classes without the positive one are not binary", [[0, 0, 3], [2, 0, 4]]),
    case("a class that is only predicted", [[0, 0, 3], [1, 2, 4], [1, 1, 2]]),
]
path = Path(__file__).with_suffix(".json")
path.write_text("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")

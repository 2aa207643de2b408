"""Writes sacrebleu_options.json: sacreBLEU's scores under its options, of several references too, and its paired tests.

    pip install sacrebleu==2.6.0 numpy==2.4.6 regex
    python -P sacrebleu_options.py      # without -P, sacrebleu.py beside it would be imported instead

The sentences are those of sacrebleu.json (sacrebleu.py makes it), edge cases after them; the second and third references are
made here from a fixed seed.
"""

import json
import random
from itertools import product
from pathlib import Path

from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

HERE = Path(__file__).parent
NAMES = {
    "tokenize": "tokenizer", "max_ngram_order": "maxOrder", "effective_order": "effectiveOrder",
    "char_order": "charOrder", "word_order": "wordOrder", "eps_smoothing": "epsSmoothing",
    "no_punct": "noPunct", "asian_support": "asianSupport", "case_sensitive": "caseSensitive",
}  # fmt: skip
CLASSES = {"bleu": BLEU, "chrf": CHRF, "ter": TER}

# What TER's limits are about: shifts that are long, far or many, and lengths far apart.
WORDS = [f"w{index}" for index in range(100)]
LONG = [
    (" ".join(WORDS), " ".join(WORDS[60:] + WORDS[:60])),
    (" ".join(reversed(WORDS)), " ".join(WORDS)),
    (" ".join(["a", "b"] * 50), " ".join(["b", "a", "c"] * 40)),
    ("one two", " ".join(WORDS)),
    (" ".join(WORDS), "w50 w51"),
    ("x " * 120 + "y", "y " + "x " * 3),
    (" ".join(WORDS[40:80] + WORDS[:40] + WORDS[80:]), " ".join(WORDS[:70])),
]
EDGES = [
    ("c d e a b f", "a b c d e f"),
    ("John's the dogs' it's. 'S 's", "John 's the dogs ' it 's . 'S 's"),
    ("漢字「かな」。日本 語！（全角）、㈱㌔㋿", "漢 字 かな 日本語! (全角) ㈱ ㌔"),
    ("Smile ☺ costs 5€ — «ja»… „nein“ 1,5–2.0 x²+y² a_b#c", "Smile ☺ costs 5 € - « ja » ... nein 1,5-2.0 x² + y²"),
    ("ΑΣΊΑΣ İstanbul STRASSE ẞ ǅ", "ασίας i̇stanbul strasse ß ǆ"),
]


def configurations():
    bleus = [dict(tokenize=t, lowercase=c) for t in ("none", "13a", "intl", "char") for c in (False, True)]
    smoothings = [("none", None), ("floor", None), ("floor", 0.5), ("add-k", None), ("add-k", 3.0), ("exp", None)]
    bleus += [dict(smooth_method=m, smooth_value=v, effective_order=e) for (m, v) in smoothings for e in (False, True)]
    bleus += [dict(max_ngram_order=n, effective_order=e) for n in (1, 2, 6) for e in (False, True)]
    chrfs = [dict(word_order=w, lowercase=c) for w in (0, 1, 2) for c in (False, True)]
    chrfs += [dict(whitespace=True, word_order=2), dict(eps_smoothing=True), dict(eps_smoothing=True, word_order=2)]
    chrfs += [dict(beta=1), dict(beta=3, char_order=4)]
    flags = ("normalized", "no_punct", "asian_support", "case_sensitive")
    ters = [dict(zip(flags, values)) for values in product((False, True), repeat=4)]
    return [("bleu", o) for o in bleus] + [("chrf", o) for o in chrfs] + [("ter", o) for o in ters]


def spec(kind, options):
    """The options as the Rust crate names them."""
    known = {NAMES.get(key, key): value for key, value in options.items() if not key.startswith("smooth_")}
    if "smooth_method" in options:
        method, value = options["smooth_method"], options["smooth_value"]
        value = BLEU.SMOOTH_DEFAULTS[method] if value is None else value
        known["smoothing"] = {"type": method} | ({} if value is None else {"value": value})
    return {"type": kind} | known


def rephrase(sentence, rng):
    words = sentence.split(" ")
    cut = rng.randrange(len(words) + 1)
    words = words[cut:] + words[:cut] if rng.random() < 0.3 else words
    return " ".join(word for word in words if rng.random() > 0.15)


def score(kind, options, hypotheses, references):
    metric = CLASSES[kind](**options)
    scored = metric.corpus_score(hypotheses, references)
    sentences = metric._extract_corpus_statistics(hypotheses, references)
    result = {
        "metric": spec(kind, options),
        "references": len(references),
        "name": scored.name,
        "score": scored.score,
        "signature": str(metric.get_signature()),
        "sentences": [round(metric._aggregate_and_compute([counts]).score, 9) for counts in sentences],
    }
    if kind == "ter":
        result |= {"edits": scored.num_edits, "referenceLength": scored.ref_length}
    return result


def long(hypothesis, reference):
    return [hypothesis, reference, TER().sentence_score(hypothesis, [reference]).num_edits]


def paired(test, samples, kind, options, systems, references):
    named = [("baseline", systems[0]), ("system", systems[1])]
    metric = CLASSES[kind](**options)
    signatures, scores = PairedTest(named, {"m": metric}, references, test_type=test, n_samples=samples)()
    (name,) = signatures
    return {
        "test": test,
        "samples": samples,
        "metric": spec(kind, options),
        "references": len(references),
        "signature": str(signatures[name]),
        "pValue": scores[name][1].p_value,
        "scores": [result.score for result in scores[name]],
        "means": None if test == "ar" else [float(result.mean) for result in scores[name]],
        "halfWidths": None if test == "ar" else [float(result.ci) for result in scores[name]],
    }


def main():
    stored = json.loads((HERE / "sacrebleu.json").read_text(encoding="utf-8"))
    edges = [(edge["hypothesis"], edge["reference"]) for edge in stored["edges"]] + EDGES
    references, _, better = (list(column) for column in zip(*stored["pairs"]))
    rng = random.Random(11)
    second = [rephrase(reference, rng) for reference in references + [r for _, r in edges]]
    third = [rephrase(reference, rng) for reference in references + [r for _, r in edges]]
    # Every fourth pair is enough for the options; the paired tests take all.
    rows = list(range(0, len(references), 4)) + list(range(len(references), len(second)))
    hypotheses = better + [h for h, _ in edges]
    lists = [references + [r for _, r in edges], second, third]
    few = lambda lines: [lines[row] for row in rows]
    scores = []
    for kind, options in configurations():
        scores.append(score(kind, options, few(hypotheses), [few(lists[0])]))
        scores.append(score(kind, options, few(hypotheses), [few(lines) for lines in lists]))
    count = len(references)
    systems = [list(column) for column in zip(*stored["pairs"])][1:]
    one, three = [references], [lines[:count] for lines in lists]
    tests = [
        paired("bs", 1000, "ter", {}, systems, one),
        paired("bs", 200, "chrf", dict(word_order=2), systems, one),
        paired("bs", 200, "bleu", dict(tokenize="intl", lowercase=True), systems, three),
        paired("bs", 200, "ter", {}, systems, three),
        paired("ar", 10000, "bleu", {}, systems, one),
        paired("ar", 500, "chrf", {}, systems, one),
        paired("ar", 500, "ter", {}, systems, one),
        paired("ar", 333, "bleu", {}, systems, three),
        paired("ar", 100, "bleu", {}, [systems[0]] * 2, one),
    ]
    golden = {
        "licence": "The sentences are from LibreOffice Help 7.4, MPL-2.0.",
        "rows": rows,
        "edges": EDGES,
        "long": [long(*pair) for pair in LONG],
        "otherReferences": [list(pair) for pair in zip(second, third)],
        "scores": scores,
        "paired": tests,
    }
    lines = ",\n".join(json.dumps(key) + ": " + layout(value) for key, value in golden.items())
    Path(__file__).with_suffix(".json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


def layout(value):
    if isinstance(value, list) and value and not isinstance(value[0], int):
        return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


main()

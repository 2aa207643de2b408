"""Writes sacrebleu.json: sacreBLEU's scores, statistics, tokens and paired bootstrap, for the Rust tests.

    pip install sacrebleu==2.6.0 numpy==2.4.6
    python sacrebleu.py libreoffice-help.test.tsv.gz

The references are the 426 English test sentences of the LibreOffice Help corpus (LibreOffice 7.4, MPL-2.0); the hypotheses are
the same sentences, perturbed here from a fixed seed into a better and a worse "system".
"""

import gzip
import json
import random
import sys
from pathlib import Path

import numpy
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.metrics.base import Metric
from sacrebleu.significance import PairedTest, estimate_ci

# (hypothesis, reference): what tokenizers and n-gram counters trip over.
EDGES = [
    ("", ""),
    ("", "An empty hypothesis."),
    ("An empty reference.", ""),
    ("   ", "Only spaces."),
    ("a", "a"),
    ("a b", "a b"),
    ("a b c", "a b c"),
    ("a b c d", "a b c d"),
    ("the the the the", "the cat is on the mat"),
    ("No match whatsoever", "Etwas ganz anderes hier"),
    ("one match only here", "just one thing there"),
    ("abcde", "abcdef"),
    ("abcdef", "abcde"),
    ("In 1,000.50 cases, 3-4 of 10-fold... e.g. v2.0.1.", "In 1,000.50 cases, 3 - 4 of 10-fold ... e.g., v2.0.1."),
    ("ends in 5.", "ends in 5 ."),
    ("5.", "5"),
    (".5 and ,5 and 5, and 5.a", ". 5 and , 5 and 5 , and 5. a"),
    ("..", ". ."),
    ("...", ". . ."),
    ("....,,,,", "....,,,, "),
    ("a.b.c,d", "a . b . c , d"),
    ("1-2-3 a-1 1-a --1--", "1 -2 -3 a-1 1 -a --1 --"),
    ("well-known -\ndashed", "well-known dashed"),
    ("line\nbreak\r\nreturn", "line break return"),
    ("&quot;quoted&quot; &amp;amp; &lt;b&gt;", '"quoted" &amp; <b>'),
    ("&amp;lt; &amp;quot; & &nbsp;", "< \" & &nbsp;"),
    ("text <skipped> more", "text more"),
    ("don't 'quote' it's o'clock", "don 't ' quote ' it 's o'clock"),
    ("(a)[b]{c}<d>\"e\"/f\\g|h~i`j^k_l=m+n*o@p#q$r%s;t:u!v?w", "( a ) [ b ] { c } < d > \" e \""),
    ("Größe, Füße und Maß.", "Größe , Füße und Maße ."),
    ("„Anführung“ – Gedankenstrich… und »Guillemets«", "\"Anführung\" - Gedankenstrich... und «Guillemets»"),
    ("naïve café", "naı\u0308ve cafe\u0301"),
    ("non\u00a0breaking\u202fspace\u3000wide", "non breaking space wide"),
    ("thin\u2009space\u2028line\u2029paragraph\u0085next", "thin space line paragraph next"),
    ("file\x1cgroup\x1drecord\x1eunit\x1fend", "file group record unit end"),
    ("zero\u200bwidth\u2060joiner\ufeffmark", "zero width joiner mark"),
    ("tab\tand\x0bvertical\x0cfeed", "tab and vertical feed"),
    ("漢字かな交じり文。", "漢字かな交じりの文。"),
    ("한국어 문장입니다.", "한국어 문장 입니다."),
    ("Привет, мир! 1.5", "Привет , мир ! 1,5"),
    ("٣٫٥ and ٣.٥ and ३.५", "٣.٥ and ३,५"),
    ("½.¾ ².³", "½ . ¾ ² . ³"),
    ("👩‍👩‍👧‍👦 family 🇩🇪 flag 👍🏽", "👩‍👩‍👧 family 🇩🇪🇫🇷 flag 👍"),
    ("𝒳 is math 𝟏.𝟐", "𝒳 is maths 𝟏 . 𝟐"),
    ("مرحبا بالعالم، كيف؟", "مرحبا بالعالم كيف"),
    ("\u0301combining first", "combining first"),
    ("UPPER lower", "upper LOWER"),
    ("trailing space .   ", "trailing space ."),
    ("   leading", "leading"),
    ("x" * 300, "x" * 299 + "y"),
    ("repeat " * 60, "repeat " * 40),
]


def perturb(sentence, rate, rng):
    """Drops, doubles, swaps and misspells words, changes punctuation; seldom loses the sentence."""
    if rng.random() < rate / 10:
        return ""
    words = []
    for word in sentence.split(" "):
        draw = rng.random()
        if draw < rate / 3:
            continue
        words.append(word if draw > rate / 2 else word.swapcase() if draw > rate / 2.5 else word[::-1] + ",")
        if draw > 1 - rate / 4:
            words.append(rng.choice(["the", "die", "…", "1.5", "ü-", word]))
        if len(words) > 1 and draw > 1 - rate / 2:
            words[-1], words[-2] = words[-2], words[-1]
    return " ".join(words)


def statistics(metric, hypothesis, reference):
    return metric._extract_corpus_statistics([hypothesis], [[reference]])[0]


def edge(bleu, chrf, hypothesis, reference):
    return {
        "hypothesis": hypothesis,
        "reference": reference,
        "tokens": bleu.tokenizer(hypothesis.rstrip()).split(),
        "bleuCounts": statistics(bleu, hypothesis, reference),
        "chrfCounts": statistics(chrf, hypothesis, reference),
        "bleu": bleu.corpus_score([hypothesis], [[reference]]).score,
        "chrf": chrf.corpus_score([hypothesis], [[reference]]).score,
    }


def corpus(metric, hypotheses, references):
    score = metric.corpus_score(hypotheses, [references])
    result = {"score": score.score, "signature": str(metric.get_signature())}
    if isinstance(metric, BLEU):
        lengths = {"systemLength": score.sys_len, "referenceLength": score.ref_len}
        result |= {"precisions": score.precisions, "brevityPenalty": score.bp, **lengths}
    return result


def exact_bootstrap(metric: Metric, systems, references, samples, seed):
    """sacreBLEU's test again in float64: it sums its statistics in float32, which leaves 1e-6 of noise in the scores."""
    indices = numpy.random.default_rng(seed).choice(len(references), size=(samples, len(references)), replace=True)
    resampled = []
    for system in systems:
        counts = numpy.array(metric._extract_corpus_statistics(system, [references]))
        resampled.append(numpy.array([metric._compute_score_from_stats(c.sum(0).tolist()).score for c in counts[indices]]))
    means_and_halves = [[float(x) for x in estimate_ci(scores)] for scores in resampled]
    difference = resampled[1] - resampled[0]
    difference_mean, difference_half = estimate_ci(difference)
    return {
        "firstIndices": indices[0][:16].tolist(),
        "lastIndices": indices[-1][-16:].tolist(),
        "systems": [{"mean": mean, "halfWidth": half} for mean, half in means_and_halves],
        "difference": {"mean": float(difference_mean), "halfWidth": float(difference_half)},
        "wins": float((difference > 0).mean()),
    }


def paired(metric, systems, references, samples):
    named = [("baseline", systems[0]), ("system", systems[1])]
    name = "BLEU" if isinstance(metric, BLEU) else "chrF2"
    signatures, scores = PairedTest(named, {name: metric}, [references], test_type="bs", n_samples=samples)()
    return {
        "samples": samples,
        "seed": 12345,
        "signature": str(signatures[name]),
        "pValue": scores[name][1].p_value,
        "sacrebleu": [{"mean": float(r.mean), "halfWidth": float(r.ci)} for r in scores[name]],
        "float64": exact_bootstrap(metric, systems, references, samples, 12345),
    }


def main():
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        references = [line.rstrip("\n").split("\t")[1] for line in lines]
    rng = random.Random(7)
    worse = [perturb(sentence, 0.52, rng) for sentence in references]
    better = [perturb(sentence, 0.50, rng) for sentence in references]
    bleu, chrf = BLEU(), CHRF()
    extended = [references + [r for _, r in EDGES], better + [h for h, _ in EDGES]]
    golden = {
        "licence": "The sentences are from LibreOffice Help 7.4, MPL-2.0.",
        "pairs": [list(pair) for pair in zip(references, worse, better)],
        "edges": [edge(bleu, chrf, *pair) for pair in EDGES],
        "bleu": [corpus(bleu, s, references) for s in (worse, better)] + [corpus(bleu, extended[1], extended[0])],
        "chrf": [corpus(chrf, s, references) for s in (worse, better)] + [corpus(chrf, extended[1], extended[0])],
        "paired": {
            "bleu": paired(bleu, [worse, better], references, 1000),
            "chrf": paired(chrf, [worse, better], references, 300),
        },
    }
    rows = ",\n".join(json.dumps(key) + ": " + layout(value) for key, value in golden.items())
    Path(__file__).with_suffix(".json").write_text("{\n" + rows + "\n}\n", encoding="utf-8")


def layout(value):
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


main()

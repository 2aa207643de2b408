"""Writes fairseq_bleu.json: what `fairseq-score` prints, by its own C++ counter.

    python fairseq_bleu.py fairseq/clib/libbleu/libbleu.cpp      # of a checkout of fairseq; needs c++ and perl

libbleu.cpp is compiled as it stands and called as `fairseq/scoring/bleu.py` calls it; the dictionary, the scorer's arithmetic
and its format string are that file's and `fairseq/data/dictionary.py`'s, restated without torch. Compounds are split by the
command of `scripts/compound_split_bleu.sh`. libbleu compares n-grams by a hash of their words' numbers that collides now and
then (two pairs of words in these 442 sentences), so that the score depends on how words are numbered. "line" and "score" number
them anew for each sentence, where nothing collides; "oneDictionary" numbers them through the corpus, as fairseq-score does. The sentences are those of sacrebleu.json; words are what stands between spaces.
"""

import ctypes
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PAD, EOS, UNK = 1, 2, 3
SPLIT = r"s{(\S)-(\S)}{$1 ##AT##-##AT## $2}g"

EDGES = [
    ("", ""),
    ("", "a reference"),
    ("a hypothesis", ""),
    ("<unk> is <unk> .", "<unk> is <unk> ."),
    ("the <unk> sat", "the cat sat"),
    ("the cat sat", "the <unk> sat"),
    ("<pad> padded <pad> inside <pad>", "padded <pad> inside"),
    ("ends </s> </s>", "ends"),
    ("</s> begins", "begins"),
    ("<pad> </s>", "</s>"),
    ("<s> a b c d e", "a b c d e"),
    ("UPPER lower Straße", "upper LOWER STRASSE"),
    ("well-known-thing a-b-c -x y- -- a--b 1-2", "well-known thing a-b-c - x y - -- a - b 1-2"),
    ("\u00e4-\u00f6 \u00a0-\u00a0 x\u2009-\u2009y", "\u00e4 - \u00f6 - x - y"),
    ("no\u00a0break tab\there", "no break tab here"),
    ("the the the the the", "the cat the mat"),
]


class Stat(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("reflen", "predlen")] + [
        (f"{kind}{order}", ctypes.c_size_t) for order in (1, 2, 3, 4) for kind in ("match", "count")
    ]


class Scorer:
    def __init__(self, library, order, lowercase):
        self.library, self.order, self.lowercase = library, order, lowercase
        self.renumber()
        self.stat = Stat()
        library.bleu_zero_init(ctypes.byref(self.stat))

    def renumber(self):
        self.symbols = {"<s>": 0, "<pad>": PAD, "</s>": EOS, "<unk>": UNK}

    def encode(self, line):
        line = line.lower() if self.lowercase else line
        ids = [self.symbols.setdefault(word, len(self.symbols)) for word in line.split()] + [EOS]
        return ids

    def add(self, reference, prediction):
        prediction = self.encode(prediction)
        reference = [-999 if symbol == UNK else symbol for symbol in self.encode(reference)]
        array = lambda ids: (ctypes.c_int * len(ids))(*ids)
        size = lambda ids: ctypes.c_size_t(len(ids))
        self.library.bleu_add(
            ctypes.byref(self.stat), size(reference), array(reference), size(prediction), array(prediction),
            ctypes.c_int(PAD), ctypes.c_int(EOS),
        )  # fmt: skip

    def precision(self):
        pairs = [(getattr(self.stat, f"match{n}"), getattr(self.stat, f"count{n}")) for n in (1, 2, 3, 4)]
        return [match / count if count > 0 else 0 for match, count in pairs]

    def brevity(self):
        return min(1, math.exp(1 - self.stat.reflen / self.stat.predlen))

    def score(self):
        total = sum(math.log(p) if p > 0 else float("-Inf") for p in self.precision()[: self.order])
        return self.brevity() * math.exp(total / self.order) * 100

    def line(self):
        fmt = "BLEU{} = {:2.2f}, {:2.1f}" + "/{:2.1f}" * (self.order - 1)
        fmt += " (BP={:.3f}, ratio={:.3f}, syslen={}, reflen={})"
        percent = [p * 100 for p in self.precision()[: self.order]]
        ratio = self.stat.predlen / self.stat.reflen
        return fmt.format(
            self.order, self.score(), *percent, self.brevity(), ratio, self.stat.predlen, self.stat.reflen
        )


def compile_library(source):
    library = Path(tempfile.mkdtemp()) / "libbleu.so"
    subprocess.run(["c++", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    return ctypes.CDLL(str(library))


def split_compounds(lines):
    text = "".join(line + "\n" for line in lines)
    done = subprocess.run(["perl", "-ple", SPLIT], input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode().split("\n")[:-1]


def scored(library, order, lowercase, split, hypotheses, references):
    both = [split_compounds(lines) if split else lines for lines in (hypotheses, references)]
    scorer, dictionary, sentences = Scorer(library, order, lowercase), Scorer(library, order, lowercase), []
    for hypothesis, reference in zip(*both):
        scorer.renumber()
        scorer.add(reference, hypothesis)
        dictionary.add(reference, hypothesis)
        alone = Scorer(library, order, lowercase)
        alone.add(reference, hypothesis)
        sentences.append(round(alone.score(), 9))
    spec = {"type": "tokenizedBleu", "maxOrder": order, "lowercase": lowercase, "splitCompounds": split}
    scores = {"line": scorer.line(), "score": scorer.score(), "oneDictionary": dictionary.score()}
    return {"metric": spec} | scores | {"sentences": sentences}


def main():
    library = compile_library(sys.argv[1])
    stored = json.loads((HERE / "sacrebleu.json").read_text(encoding="utf-8"))
    references, _, better = (list(column) for column in zip(*stored["pairs"]))
    hypotheses = [line.replace("\n", " ") for line in better] + [h for h, _ in EDGES]
    references = references + [r for _, r in EDGES]
    options = [(n, False, False) for n in (1, 2, 3, 4)] + [(4, True, False), (4, False, True), (4, True, True)]
    golden = {
        "edges": EDGES,
        "split": [[line, split_compounds([line])[0]] for pair in EDGES for line in pair],
        "scores": [scored(library, *option, hypotheses, references) for option in options],
    }
    rows = ",\n".join(json.dumps(key) + ": " + layout(value) for key, value in golden.items())
    Path(__file__).with_suffix(".json").write_text("{\n" + rows + "\n}\n", encoding="utf-8")


def layout(value):
    return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"


main()

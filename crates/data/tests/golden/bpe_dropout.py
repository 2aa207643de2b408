"""Writes bpe_dropout.json: how often subword-nmt splits words in which way under BPE-dropout.

    pip install subword-nmt==0.3.8
    python bpe_dropout.py ../../../../ts/task/translation/corpus/valid.tsv.gz

The merges are those of tokenizer/tokenizer.json (byte-level; tokenizer.py makes it), the splitting is subword-nmt's own
`encode`, as `subword-nmt apply-bpe --dropout` calls it. Of each word the splits are counted over many draws; of all words of
the corpus the mean number of subwords is taken.
"""

import collections
import gzip
import json
import random
import re
import sys
from pathlib import Path

from subword_nmt.apply_bpe import encode

HERE = Path(__file__).parent
DRAWS = 4_000
SAMPLED_WORDS = ["the", "document", "Wenn", "Fenster", "Schaltfläche", "banana", "information", "cell", "werden", "aaaa"]


def byte_letters():
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return {byte: chr(byte if byte in printable else next(others)) for byte in range(256)}


def split(word, codes, dropout):
    # Version 0.1 marks the end of a word by a symbol of its own, which no merge here knows and `encode` takes away again.
    return encode(word, codes, {}, None, "@@", (0, 1), {}, None, dropout)


def main():
    random.seed(17)
    letters = byte_letters()
    model = json.loads((HERE / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    codes = {tuple(merge): rank for rank, merge in enumerate(model["merges"])}
    spell = lambda text: "".join(letters[byte] for byte in text.encode())
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        sides = [side for line in lines for side in line.rstrip("\n").split("\t")[:2]][:400]
    # Letters only, each with the space before it: what byte-level BPE, too, takes for a word.
    words = [" " + word for side in sides for word in re.findall(r"[^\W\d_]+", side)]
    golden = {"draws": DRAWS, "words": [], "text": words, "means": []}
    for dropout in (0.1, 0.5):
        for word in SAMPLED_WORDS:
            counts = collections.Counter(" ".join(split(spell(" " + word), codes, dropout)) for _ in range(DRAWS))
            splits = dict(counts.most_common(40))
            golden["words"].append({"dropout": dropout, "word": " " + word, "splits": splits})
        totals = [sum(len(split(spell(word), codes, dropout)) for word in words) for _ in range(10)]
        golden["means"].append({"dropout": dropout, "subwords": [total / len(words) for total in totals]})
    rows = ",\n".join(json.dumps(key) + ": " + json.dumps(value, ensure_ascii=False) for key, value in golden.items())
    Path(__file__).with_suffix(".json").write_text("{\n" + rows + "\n}\n", encoding="utf-8")


main()

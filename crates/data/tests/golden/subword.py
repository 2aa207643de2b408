"""Writes subword.json: merges that PyPI's subword-nmt learns from real lines, and how it splits other lines with them.

    python subword.py        # needs subword-nmt 0.3.8, no torch

Tokens of subword-nmt end in `@@` unless they end a word; a tokenizer.json has `</w>` at the others instead. Here both are
written as `</w>`, so that `low er</w>` are the two tokens of `lower`.
"""

import gzip
import importlib.metadata
import io
import json
import pathlib
import re

from subword_nmt.apply_bpe import BPE
from subword_nmt.learn_bpe import learn_bpe

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parents[3] / "ts/task/translation/corpus"
MERGES = 2000
HARD = ["", "x", "Größenmaßstäbe äöüß", "日本語 の 文", "don't we'll", "a\u00a0b c", "aaaa aaaaaaaa", "--option=/path", "@-@ &quot; &amp;"]


def read(name):
    """Words apart from punctuation, in lower case; any rule does that both sides follow."""
    with gzip.open(CORPUS / f"{name}.tsv.gz", "rt", encoding="utf-8") as file:
        return [[" ".join(re.findall(r"\w+|[^\w\s]", side)).lower() for side in line.rstrip("\n").split("\t")] for line in file]


def main():
    train, valid = read("test"), read("valid")[:60]
    learnt = io.StringIO()
    learn_bpe(io.StringIO("".join(f"{side}\n" for pair in train for side in pair)), learnt, MERGES)
    merges = learnt.getvalue().splitlines()[1:]
    bpe = BPE(io.StringIO(learnt.getvalue()))
    cases = []
    for text in HARD + [side for pair in valid for side in pair]:
        tokens = bpe.process_line(text).split(" ") if text else []
        cases.append({"text": text, "tokens": [token[:-2] if token.endswith("@@") else token + "</w>" for token in tokens]})
    output = {"version": importlib.metadata.version("subword-nmt"), "train": train, "merges": merges, "cases": cases}
    (HERE / "subword.json").write_text(json.dumps(output, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(len(merges), "merges,", len(cases), "cases")


if __name__ == "__main__":
    main()

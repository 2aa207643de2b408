"""Writes fairseq/: a folder as `fairseq-preprocess --dataset-impl mmap` fills it, and fairseq.json: what it holds.

    pip install numpy==2.4.6 subword-nmt==0.3.8
    python fairseq.py ../../../../ts/task/translation/corpus/valid.tsv.gz

The bytes are those of `MMapIndexedDatasetBuilder` and `MMapIndexedDataset.Index.writer` (fairseq/data/indexed_dataset.py),
the dictionaries those of `Dictionary.finalize` and `save` (fairseq/data/dictionary.py), restated without torch: fairseq does not
install on this Python. The sentences are LibreOffice Help's (LibreOffice 7.4, MPL-2.0), split by subword-nmt.
"""

import collections
import gzip
import io
import json
import struct
import sys
from pathlib import Path

import numpy as np
from subword_nmt.apply_bpe import BPE
from subword_nmt.learn_bpe import learn_bpe

HERE = Path(__file__).parent
CODES = {np.uint8: 1, np.int8: 2, np.int16: 3, np.int32: 4, np.int64: 5, np.uint16: 8, np.uint32: 9, np.uint64: 10}
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
EOS, UNK = 2, 3


def write(prefix, rows, dtype):
    sizes, pointers, address = [], [], 0
    with open(f"{prefix}.bin", "wb") as data:
        for row in rows:
            values = np.array(row, dtype=dtype)
            data.write(values.tobytes(order="C"))
            sizes.append(values.size)
            pointers.append(address)
            address += values.size * dtype().itemsize
    with open(f"{prefix}.idx", "wb") as index:
        index.write(b"MMIDIDX\x00\x00")
        index.write(struct.pack("<Q", 1))
        index.write(struct.pack("<B", CODES[dtype]))
        index.write(struct.pack("<Q", len(sizes)))
        index.write(np.array(sizes, dtype=np.int32).tobytes(order="C"))
        index.write(np.array(pointers, dtype=np.int64).tobytes(order="C"))


def dictionary(lines, threshold):
    """Symbols by falling count, those of equal count in the order of their characters, filled up to a multiple of 8."""
    counts = collections.Counter(symbol for line in lines for symbol in line.split())
    ordered = sorted(sorted(counts.items()), key=lambda item: -item[1])
    symbols = [(symbol, count) for symbol, count in ordered if count >= threshold]
    filler = 0
    while (len(SPECIAL) + len(symbols)) % 8 != 0:
        symbols.append((f"madeupword{filler:04d}", 0))
        filler += 1
    return symbols


def main():
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        pairs = [line.rstrip("\n").split("\t")[:2] for line in lines][:90]
    text = "\n".join(side for pair in pairs[:60] for side in pair)
    codes = io.StringIO()
    learn_bpe(io.StringIO(text), codes, 300)
    codes.seek(0)
    bpe = BPE(codes)
    split = {name: [[bpe.process_line(side) for side in pair] for pair in part] for name, part in
             {"train": pairs[:60], "train1": pairs[60:80], "valid": pairs[80:]}.items()}  # fmt: skip
    folder = HERE / "fairseq"
    folder.mkdir(exist_ok=True)
    expected = {name: [] for name in split}
    dictionaries = {}
    for side, language in enumerate(("de", "en")):
        symbols = dictionary([pair[side] for pair in split["train"]], 2)
        (folder / f"dict.{language}.txt").write_text("".join(f"{s} {c}\n" for s, c in symbols), encoding="utf-8")
        dictionaries[language] = SPECIAL + [symbol for symbol, _ in symbols]
    for (name, part), dtype in zip(split.items(), (np.uint16, np.uint16, np.int32)):
        for side, language in enumerate(("de", "en")):
            ids = {symbol: index for index, symbol in enumerate(dictionaries[language])}
            rows = [[ids.get(symbol, UNK) for symbol in pair[side].split()] + [EOS] for pair in part]
            write(folder / f"{name}.de-en.{language}", rows, dtype)
            for index, row in enumerate(rows):
                words = [dictionaries[language][symbol] for symbol in row]
                known = " ".join(word for word in words[:-1] if word != "<unk>")
                text = (known + " ").replace("@@ ", "").rstrip()
                expected[name] += [{}] if side == 0 else []
                expected[name][index][language] = {"words": words, "text": text}
    rows = ",\n".join(json.dumps(name) + ": [\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in part) + "\n]"
                      for name, part in expected.items())  # fmt: skip
    licence = json.dumps({"licence": "The sentences are from LibreOffice Help 7.4, MPL-2.0."})[1:-1]
    (HERE / "fairseq.json").write_text("{\n" + licence + ",\n" + rows + "\n}\n", encoding="utf-8")


main()

"""Prepares parallel text as a careful user does in Python: `tokenizers` learns and applies the vocabulary in Rust on all its
threads, or `subword-nmt` does with worker processes; fairseq's filters and its binarised layout (ids and offsets) are NumPy.

    python prepare.py FOLDER --type byteLevel|subword --threads 2     # FOLDER holds `source` and `target`
"""

import argparse
import collections
import io
import itertools
import multiprocessing
import os
import pathlib
import sys

import numpy


def cleaned(folder):
    """Pairs that fairseq's IWSLT script would keep: 1 to 175 words a side, ratio 1.5."""
    with open(folder / "source", encoding="utf-8") as source, open(folder / "target", encoding="utf-8") as target:
        for one, other in zip(source, target):
            one, other = one.strip(), other.strip()
            first, second = len(one.split()), len(other.split())
            if 1 <= first <= 175 and 1 <= second <= 175 and first <= 1.5 * second and second <= 1.5 * first:
                yield one, other


def batches(pairs, size=8192):
    while batch := list(itertools.islice(pairs, size)):
        yield batch


class Writer:
    def __init__(self, path):
        self.file, self.lengths, self.path = open(path, "wb"), [], path

    def write(self, rows):
        self.lengths.extend(map(len, rows))
        self.file.write(numpy.fromiter(itertools.chain.from_iterable(rows), dtype=numpy.uint16).tobytes())

    def close(self):
        self.file.close()
        numpy.save(f"{self.path}.offsets.npy", numpy.cumsum([0, *self.lengths], dtype=numpy.int64))


def byte_level(folder):
    import tokenizers
    from tokenizers import models, pre_tokenizers, processors, trainers

    tokenizer = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=32000, special_tokens=["</s>", "<unk>"], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(([side for pair in batch for side in pair] for batch in batches(cleaned(folder))), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    fast = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
    return lambda texts: [encoding.ids for encoding in fast(texts)]


BPE, IDS = None, None


def split(texts):
    return [[IDS.get(token, 1) for token in BPE.process_line(text).split()] + [0] for text in texts]


def count(batch):
    return collections.Counter(word for pair in batch for side in pair for word in side.split(" ") if word)


def subword(folder, threads):
    global BPE, IDS
    from subword_nmt.apply_bpe import BPE as Applied
    from subword_nmt.learn_bpe import learn_bpe

    words = collections.Counter()
    with multiprocessing.Pool(threads) as pool:
        for counts in pool.imap(count, batches(cleaned(folder))):
            words.update(counts)
    learnt = io.StringIO()
    learn_bpe(io.StringIO("".join(f"{word} {number}\n" for word, number in words.items())), learnt, 32000, is_dict=True)
    BPE = Applied(io.StringIO(learnt.getvalue()))
    merges = [line.split() for line in learnt.getvalue().splitlines()[1:]]
    characters = {c for word in words for c in word}
    names = [f"{c}{end}" for c in sorted(characters) for end in ("@@", "")]
    names += [(a + b)[:-4] if b.endswith("</w>") else f"{a}{b}@@" for a, b in merges]
    IDS = {name: index + 2 for index, name in enumerate(dict.fromkeys(names))}
    pool = multiprocessing.Pool(threads)  # forked now, with the vocabulary
    return lambda texts: itertools.chain.from_iterable(pool.imap(split, (texts[at : at + 1024] for at in range(0, len(texts), 1024))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--type", choices=["byteLevel", "subword"], default="byteLevel")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(given.threads)
    sys.stderr = open(os.devnull, "w")  # progress bars
    encode = byte_level(given.folder) if given.type == "byteLevel" else subword(given.folder, given.threads)
    writers = [Writer(given.folder / f"train.{side}.bin") for side in ("source", "target")]
    for batch in batches(cleaned(given.folder)):
        for writer, texts in zip(writers, zip(*batch)):
            writer.write(list(encode(list(texts))))
    for writer in writers:
        writer.close()


if __name__ == "__main__":
    main()

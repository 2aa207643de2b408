"""Makes a batch file from a TSV of sentence pairs, for trying the peer alone. Compared runs use the batches that sagetrain exports.

    python export_batches.py pairs.tsv.gz batches.safetensors --vocab-size 4000 --max-tokens 2000 --max-length 60
"""

import argparse
import gzip
import random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from batches import write_batches

END, UNKNOWN, PAD = "</s>", "<unk>", "<pad>"


def train_tokenizer(sentences, vocab_size):
    """Joint byte-level BPE; </s> 0, <unk> 1, <pad> last."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = {"special_tokens": [END, UNKNOWN], "initial_alphabet": alphabet, "show_progress": False}
    tokenizer.train_from_iterator(sentences, trainers.BpeTrainer(vocab_size=vocab_size - 1, **special))
    tokenizer.add_special_tokens([PAD])
    return tokenizer


def read_pairs(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as lines:
        return [tuple(line.rstrip("\n").split("\t")[:2]) for line in lines]


def encode_pairs(tokenizer, pairs):
    """(source ids, target ids) of each pair, each ending in </s>."""
    sides = zip(*pairs)
    return list(zip(*([e.ids + [0] for e in tokenizer.encode_batch(list(side))] for side in sides)))


def bucket(rows, max_tokens, rng):
    """Batches of similar length, in random order, of at most `max_tokens` padded tokens on either side."""
    rng.shuffle(rows)
    rows = sorted(rows, key=lambda row: (len(row[1]), len(row[0])))
    batches, batch, longest = [], [], 0
    for row in rows:
        longest = max(longest, *map(len, row))
        if batch and longest * (len(batch) + 1) > max_tokens:
            batches.append(batch)
            batch, longest = [], max(map(len, row))
        batch.append(row)
    batches.append(batch)
    rng.shuffle(batches)
    return batches


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs")
    parser.add_argument("output")
    parser.add_argument("--vocab-size", type=int, default=4000)
    parser.add_argument("--max-tokens", type=int, default=2000, help="padded tokens a batch, of the longer side")
    parser.add_argument("--max-length", type=int, default=60, help="longer sentences are left out")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    pairs = read_pairs(args.pairs)
    tokenizer = train_tokenizer((side for pair in pairs for side in pair), args.vocab_size)
    rows = [row for row in encode_pairs(tokenizer, pairs) if max(map(len, row)) <= args.max_length]
    batches = bucket(rows, args.max_tokens, random.Random(args.seed))
    write_batches(args.output, batches, tokenizer.get_vocab_size())
    print(f"{len(rows)} of {len(pairs)} pairs in {len(batches)} batches, {tokenizer.get_vocab_size()} tokens")


if __name__ == "__main__":
    main()

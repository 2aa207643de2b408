"""Runs one of sacremoses' steps over the lines of standard input and prints its seconds.

    python moses.py tokenize|normalize|detokenize LANGUAGE < lines
"""

import sys
import time

from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer


def main(step, language):
    tokenizer, detokenizer, normalizer = MosesTokenizer(language), MosesDetokenizer(language), MosesPunctNormalizer(language)
    run = {
        "tokenize": lambda line: tokenizer.tokenize(line, aggressive_dash_splits=True, return_str=True),
        "normalize": normalizer.normalize,
        "detokenize": lambda line: detokenizer.detokenize(line.split(" ")),
    }[step]
    lines = sys.stdin.read().split("\n")
    for line in lines[:100]:  # Python compiles patterns at their first use.
        run(line)
    started = time.perf_counter()
    for line in lines:
        run(line)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The steps of the field's preparation scripts, one by one as the shell runs them. Lists of lines go in and out.

What the scripts do with grep, sed and awk is done by grep, sed and awk; the tokenizer is sacremoses, the merges are those of
subword-nmt. `clean` is Moses' `clean-corpus-n.perl` and `from_sgm` its `input-from-sgm.perl`, written again.
"""

import contextlib
import io
import re
import subprocess

from sacremoses import MosesTokenizer
from subword_nmt.apply_bpe import BPE
from subword_nmt.learn_bpe import learn_bpe


def printing(line):
    """Without control characters, which Moses' tokenizer drops or takes for spaces; those of Latin-1 count as spaces."""
    kept = (" " if re.match(r"[\t-\r\x1c-\x1f\x7f-\x9f]", c) else c for c in line if not re.match(r"[\0-\x08\x0e-\x1b]", c))
    return "".join(kept)


def shell(command, lines):
    text = "".join(f"{line}\n" for line in lines)
    ran = subprocess.run(["sh", "-c", command], input=text.encode(), capture_output=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    return ran.stdout.decode().split("\n")[:-1]


def tokenize(lines, language):
    tokenizer = MosesTokenizer(language)
    return [" ".join(tokenizer.tokenize(line)) for line in lines]


def lowercase(lines):
    return [line.lower() for line in lines]


def clean(sources, targets, least, most, ratio=9.0):
    kept = ([], [])
    for source, target in zip(sources, targets, strict=True):
        source, target = (re.sub(r"\s+", " ", line.replace("|", "")).strip(" ") for line in (source, target))
        words = len(source.split(" ")), len(target.split(" "))
        if not source or not target or min(words) < least or max(words) > most:
            continue
        if words[0] / words[1] > ratio or words[1] / words[0] > ratio:
            continue
        if any(len(word) > 1000 for word in f"{source} {target}".split(" ")):
            continue
        kept[0].append(source)
        kept[1].append(target)
    return kept


def from_sgm(lines):
    rest, found = iter(lines), []
    for line in rest:
        while re.search(r"<seg[^>]+>\s*$", line, re.I):
            line += next(rest)
        while re.search(r"<seg[^>]+>\s*(.*)\s*$", line, re.I) and not re.search(r"<seg[^>]+>\s*(.*)\s*</seg>", line, re.I):
            line += next(rest)
        if match := re.search(r"<seg[^>]+>\s*(.*)\s*</seg>", line, re.I):
            found.append(re.sub(r"\s+", " ", match.group(1)).strip(" "))
    return found


def learn(lines, merges):
    codes = io.StringIO()
    with contextlib.redirect_stderr(io.StringIO()):  # its progress
        learn_bpe(io.StringIO("".join(f"{line}\n" for line in lines)), codes, merges)
    codes.seek(0)
    return BPE(codes)

"""Writes the tables beside ../../../src/text/moses: `classes.tsv` and `prefixes/{de,en}.txt`.

    python tables.py           # needs sacremoses (which brings regex)

`classes.tsv` says which characters belong to the classes that sacremoses' rules speak of. One line a class: its name, a
tab, ranges of code points in hexadecimal. The character sets of sacremoses are those of an older Unicode (its letters
leave out Han, for one), so they are taken from it and not from today's tables. `digit` is Python's \\d, `other` is \\p{C}
of the package regex.
"""

import pathlib
import re

import regex
from sacremoses import MosesDetokenizer, MosesTokenizer

FOLDER = pathlib.Path(__file__).parents[3] / "src/text/moses"
CHARACTERS = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]


def ranges(members):
    found = []
    for code in sorted(map(ord, set(members))):
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return " ".join(f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last in found)


def classes():
    digit, other = re.compile(r"\d"), regex.compile(r"\p{C}")
    sets = {
        "alnum": MosesTokenizer.IsAlnum,
        "alpha": MosesTokenizer.IsAlpha,
        "letter": MosesDetokenizer.IsAlpha,
        "lower": MosesTokenizer.IsLower,
        # A line feed ends these two lists and is no member that any rule could meet.
        "number": MosesTokenizer.IsN.replace("\n", ""),
        "currency": MosesDetokenizer.IsSc.replace("\n", ""),
        "digit": filter(digit.match, CHARACTERS),
        "other": filter(other.match, CHARACTERS),
    }
    lines = [f"{name}\t{ranges(members)}\n" for name, members in sets.items()]
    (FOLDER / "classes.tsv").write_text("".join(lines), encoding="ascii")


def prefixes(language):
    words = dict.fromkeys(MosesTokenizer(language).NONBREAKING_PREFIXES)
    (FOLDER / f"prefixes/{language}.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")


if __name__ == "__main__":
    classes()
    prefixes("de")
    prefixes("en")

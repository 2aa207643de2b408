"""Writes moses.json: what sacremoses makes of hard lines, and checksums of what it makes of many.

    python moses.py            # needs sacremoses; set SAGETRAIN_DATA for the corpora that do not come along

`cases` are lines with their outputs. `random` are lines drawn from `alphabet` by a generator that the test repeats.
`corpora` are the lines of parallel text. Of both there is a checksum for each block of lines, step and language.
"""

import gzip
import hashlib
import json
import os
import pathlib

import regex
import sacremoses
from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer


HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parents[4] / "ts/task/translation/corpus"
LANGUAGES = {"de": 0, "en": 1}
BLOCK = 500
RANDOM_LINES = 20_000

ALPHABET = [
    " ", " ", " ", "  ", "\u00a0", "\t", "\x01", "\x1c", "\u2009", "a", "b", "s", "S", "A", "Dr", "No", "Art", "z.B", "e.g",
    "U.S", "etc", "XIV", "12", "5", "1.000", "²", "½", "٣", "ß", "Ü", "é", "е", "漢", "か", "각", "न", "्", ".", ".", "..", "...", "...",
    ",", ",", "'", "'", "''", "`", "``", '"', '"', "-", "-", "--", "–", "—", "’", "‘", "‚", "´", "„", "“", "”", "«", "»", "…", "(", ")",
    "[", "]", "{", "}", "<", ">", "|", "&", "&amp;", "&apos;", "&#124;", "&bra;", "%", " %", "?", "!", ":", ";", "/", "\\", "@",
    " @-@ ", "#", "_", "+", "=", "~", "$", "€", "¿", "nº", "ºC", "cm", "DOTMULTI", "DOT", "😀", "\u00ad", "\u200b", "\ufeff", "it's",
    "dogs'", "'tis", "l'eau",
]

HARD = """
Hello World!
It's the dogs' dinner, isn't it? The '90s weren't; rock 'n' roll was.
He said: "I'll be there at 5 p.m." and left.
Mr. Smith went to Washington, D.C. on Jan. 5. He liked it.
No. 7 is here. No. It isn't. Art. 5 and pp. 3-9 apply. No.
Das ist z.B. ein Satz, d.h. keine Frage. Am 3. Oktober usw. ging es los.
Dr. Müller u. a. haben am 14. Juli 1789 um 15.30 Uhr 1.234,56 € bezahlt.
Der XIV. Ludwig, der 2. Weltkrieg und die 100. Sitzung. Das war's.
Wie geht's? „Gut“, sagte er. ‚Sehr gut‘, sagte sie – ganz leise — und ging…
Er sagte: "Ja." Dann ging er. "Nein". "Vielleicht," sagte sie.
a,b,c 5,300 5,a a,5 ,5 5, ,, ,,, 5,,5 5,, ,a
, beginning and end ,
1,
Wait.. what... no.... yes
...
..
.
....'
.'
foo.'
foo .'
'
''
'''
' ' '
a'b'c'd
a''b
5's 5'a 1990's
'5 '90s 'tis
well-known, state-of-the-art, e-mail -5 5- -- --- a--b a-b-c-d -a- Müller-Meier 10-20
http://www.example.org/path?query=1&other=2#fragment
mail@example.org @user #tag C++ C# .NET R&D AT&T
<b>bold</b> <a href="x.html">link</a> [1] {2} (3) |pipe|
&lt;tag&gt; &amp; &quot;quoted&quot; &apos;s &#91; &#93; &#124; &bar; &bra; &ket; &unknown; &
100 % 5 %, 20% (50 %) 3 °C 5ºC nº 5
1 000 000 10 000,5 5 % : ; ! ?
( spaced ) (tight) ( a ) . ) , ((nested)) () ( )
one : two ; three ! four ?
``quoted'' `single' ''doubled''
„Deutsch“ »Deutsch« «français» ‹x› “English” ‘single’ l’eau d’accord don’t
« guillemets » « a» «b »
"comma," "period." "both.," ."x ."<i> ." <i> ... " x "..., y
L'eau de l'homme, c'est l'été aujourd'hui. dell'arte un po' d'oro
¿Qué? ¡Hola! $5 €10 £3.50 ¥100 5$ US$5
中文字符，和标点。 日本語のテキスト 한국어 텍스트 漢字 kanji 漢字
नमस्ते दुनिया ภาษาไทย עברית العربية ١٢٣ ½ ² ³
Zero​width soft­hyphen byte﻿order
emoji 😀 👩‍👩‍👧 ✓ ™ © ® § ¶ † ‡ • ‰
ALL CAPS. iPhone. eBay. a.b.c. U.S.A. u.s.w. Ph.D. e.g. i.e. etc.
The end. the end. The End. 5. Kapitel Kapitel 5. Kapitel V. v. Chr.
DOTMULTI DOTDOTMULTI xDOTMULTI. DOTMULTI DOT... MULTI
@-@ a @-@ b a @-@b @-@ @-@ c
He's 's ' s s' James' book' 'word' "it" ' "
"unbalanced 'quotes " here ' and " there
Preis: 3,50 EUR/Stück (inkl. MwSt.), Nr. 5, ca. 10 Mio. Einwohner, Hrsg. Meier
s.p.a. g.g.A. c.-à-d. u.ä. o.ä. z.Zt. i.H.v. d. h. z. B.
x_y __init__ a/b and/or 1/2 km/h 24/7 a\\b ~/x ^ = + * <= >= != ->
""".strip("\n").split("\n") + [
    "", " ", "  leading and trailing  ", "tab\tinside", "\x00nul\x07bell\x1b[0m", "a\x01b a \x01 b", "no\u00a0break\u00a0space",
    "5\u00a0%", "1\u00a0000\u00a0000", "a\u00a0: b\u00a0! c\u00a0? d\u00a0; e,\u00a0f", "20\u00a0cm 20\u00a0ºC nº\u00a05", "«\u00a0mot\u00a0»",
    "line\u2028separator\u0085next", "carriage\rreturn", ".\"  x", ".\" ", "..\"\t<", "-", "a-", "-a", "a-\x01b", "\x1c,5",
]


def generate(count):
    """Lines of one to sixteen pieces, drawn by a linear congruential generator."""
    state = 1

    def draw(below):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % below

    return ["".join(ALPHABET[draw(len(ALPHABET))] for _ in range(1 + draw(16))) for _ in range(count)]


def steps(language):
    tokenizer, detokenizer, normalizer = MosesTokenizer(language), MosesDetokenizer(language), MosesPunctNormalizer(language)
    plain = MosesPunctNormalizer(language, penn=False, norm_quote_commas=False, norm_numbers=False)

    def tokenize(line, hyphens, escape):
        return " ".join(tokenizer.tokenize(line, aggressive_dash_splits=hyphens, escape=escape))

    return {
        "tokenized": lambda line: tokenize(line, False, True),
        "hyphens": lambda line: tokenize(line, True, True),
        "unescaped": lambda line: tokenize(line, False, False),
        "hyphensUnescaped": lambda line: tokenize(line, True, False),
        "detokenized": lambda line: detokenizer.detokenize(line.split()),
        "roundTrip": lambda line: detokenizer.detokenize(tokenize(line, True, True).split()),
        "normalized": normalizer.normalize,
        "normalizedLess": plain.normalize,
        "printing": normalizer.remove_control_chars,
    }


def foreign_steps(language):
    """Of a language with rules of its own; its list of prefixes is left out on both sides."""
    tokenizer, detokenizer, normalizer = MosesTokenizer(language), MosesDetokenizer(language), MosesPunctNormalizer(language)
    tokenizer.NONBREAKING_PREFIXES = tokenizer.NUMERIC_ONLY_PREFIXES = []
    return {
        "tokenized": lambda line: " ".join(tokenizer.tokenize(line)),
        "detokenized": lambda line: detokenizer.detokenize(line.split()),
        "normalized": normalizer.normalize,
    }


def checksums(lines, step):
    blocks = [lines[start : start + BLOCK] for start in range(0, len(lines), BLOCK)]
    text = ("\n".join(map(step, block)) for block in blocks)
    return [hashlib.sha256(block.encode()).hexdigest()[:8] for block in text]


def sides(path, limit):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][:limit]
    return {language: [row[side] for row in rows] for language, side in LANGUAGES.items()}


def corpora():
    found = {"train": sides(CORPUS / "train.tsv.gz", None)}
    if folder := os.environ.get("SAGETRAIN_DATA"):
        for name in ["ding-sent", "ddtp"]:
            found[name] = sides(pathlib.Path(folder) / f"de-en/{name}.train.tsv.gz", 10_000)
    return found


def main():
    languages = {language: steps(language) for language in LANGUAGES}
    lines = HARD + generate(160)
    cases = [
        {"line": line, **{language: {name: step(line) for name, step in steps.items()} for language, steps in languages.items()}}
        for line in lines
    ]
    drawn = generate(RANDOM_LINES)
    everything = {**languages, **{language: foreign_steps(language) for language in ["fr", "it", "es", "nl", "ga"]}}
    random = {
        language: {name: checksums(drawn, step) for name, step in steps.items()} for language, steps in everything.items()
    }
    real = {
        corpus: {
            language: {name: checksums(text[language], step) for name, step in languages[language].items()} for language in languages
        }
        for corpus, text in corpora().items()
    }
    output = {
        "versions": {"sacremoses": sacremoses.__version__, "regex": regex.__version__},
        "block": BLOCK,
        "alphabet": ALPHABET,
        "randomLines": RANDOM_LINES,
        "cases": cases,
        "random": random,
        "corpora": real,
    }
    text = json.dumps(output, ensure_ascii=True)
    (HERE / "moses.json").write_text(text.replace('{"line"', '\n{"line"').replace('"tokenized"', '\n "tokenized"') + "\n", encoding="ascii")
    print(len(cases), "cases,", {name: len(text["de"]) for name, text in corpora().items()})


if __name__ == "__main__":
    main()

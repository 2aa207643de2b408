"""Writes recipes.json: published archives in miniature, and what the field's scripts make of them.

    python recipes.py          # needs sacremoses and subword-nmt; grep, sed and awk of GNU

The archives have the members, tags and layout of those published, with sentences of the embedded corpus in them.
`plain` is what is left once tags are dealt with, without control characters, `prepared` the lines before merges, `subwords` the lines that
a model is trained on.
"""

import gzip
import json
import pathlib

from scripts import clean, from_sgm, learn, lowercase, printing, shell, tokenize

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parents[4] / "ts/task/translation/corpus/test.tsv.gz"

# Sentences with what the steps trip over.
HARD = [
    ("Z.B. „Wie geht’s?“ – AT&T, Nr. 5, am 3. Oktober.", "E.g. “How’s it going?” – AT&T, No. 5, on Oct. 3."),
    ("Er sagte: 'Nein'. Wir haben's gehört...", "He said: 'No'. We've heard it... the dogs' dinner"),
    ("Straße ÄÖÜ |a| [b] &amp; <c> 50 %", "Street É |a| [b] &amp; <c> 50 %"),
    ("eins zwei", "one two three four five six seven eight nine ten"),
    ("", "a target without a source"),
    ("eine Quelle ohne Ziel", ""),
    ("wort " * 200, "word " * 200),
    ("wort " * 100, "word " * 100),
    ("zwei\u00a0Leerzeichen  und\tTabulator\x01 Ende", "no-break\u00a0space  and\ttab\x01 end"),
    ("Das Komitee mit \u2028 Zeilentrenner", "The committee with \u2028 a line separator"),
    ("Wagen-Nr. 5-6 Müller-Meier", "well-known e-mail state-of-the-art"),
    (" <title>Ein Titel</title> im Text", " <title>A title</title> in the text"),
]


def sentences():
    with gzip.open(CORPUS, "rt", encoding="utf-8", newline="\n") as file:
        return [tuple(line.rstrip("\n").split("\t")) for line in file]


ROWS = sentences()


def lines_of(text):
    return text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")


def training_file(rows, side):
    """As IWSLT's train.tags: a block of tagged lines before each talk."""
    talks = [rows[start : start + 40] for start in range(0, len(rows), 40)]
    lines = []
    for number, talk in enumerate(talks):
        lines.append(f"<url>http://www.ted.com/talks/lang/{'de' if side == 0 else 'en'}/talk_{number}.html</url>")
        lines.append("<keywords>talks, technology, language</keywords>")
        lines.append(f"<talkid>{number}</talkid>")
        lines.append(f"<title>{talk[0][side]}</title>")
        lines.append(f"<description>TED Talk Subtitles and Transcript: {talk[1][side]}</description>")
        lines += [f"{row[side]} " if index % 3 else row[side] for index, row in enumerate(talk)]
    return "".join(f"{line}\n" for line in lines)


def xml_file(rows, side, kind):
    head = [
        '<?xml version="1.0" encoding="UTF-8"?>', "<mteval>", f'<{kind} setid="iwslt2014-x" srclang="de">', '<doc docid="1" genre="lectures">',
        "<url>http://www.ted.com/talks/x.html</url>", "<description>TED Talk</description>", "<talkid>1</talkid>", "<title>Titel</title>",
    ]
    body = [f'<seg id="{number}"> {row[side]} </seg>' if number % 4 else f'<seg id="{number}">{row[side]}</seg>' for number, row in enumerate(rows, 1)]
    return "\n".join(head + body + ["</doc>", f"</{kind}>", "</mteval>"]) + "\n"


def sgm_file(rows, side, kind):
    """Segments in one line and over several, as they come in WMT's files and worse."""
    lines = [f'<{kind} setid="newstest2014" srclang="any" trglang="de">', '<doc sysid="ref" docid="x" genre="news" origlang="en">', "<p>"]
    for number, row in enumerate(rows, 1):
        text = row[side]
        match number % 5:
            case 0:
                lines += [f'<seg id="{number}">', text, "</seg>"]
            case 1:
                cut = text.find(" ") + 1
                lines += [f'<SEG id="{number}"> {text[:cut]}', f"{text[cut:]} </SEG>"]
            case 2:
                lines.append(f'<hl><seg id="{number}">  {text}  </seg></hl>')
            case _:
                lines.append(f'<seg id="{number}">{text}</seg>')
    return "\n".join(lines + ["</p>", "</doc>", f"</{kind}>"]) + "\n"


def with_entities(rows):
    return [tuple(side.replace("&", "&amp;").replace('"', "&quot;") for side in row) for row in rows if all(row)]


TESTS = ["TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012"]
LANGUAGES = ["de", "en"]


def iwslt14():
    train, rest = ROWS[:300], ROWS[300:]
    train = [row for index, row in enumerate(train) for row in ([HARD[index // 25], row] if index % 25 == 7 else [row])]
    members = {}
    for side, language in enumerate(LANGUAGES):
        members[f"de-en/train.tags.de-en.{language}"] = training_file(train, side)
        for index, test in enumerate(TESTS):
            rows = [*rest[index * 12 : index * 12 + 12], HARD[index]]
            kind = "srcset" if side == 0 else "refset"
            members[f"de-en/IWSLT14.{test}.de-en.{language}.xml"] = xml_file(rows, side, kind)
    members["de-en/README"] = "Not a corpus.\n"
    members["de-en/train.en"] = "Not one of the recipe.\n"

    plain = {"train": [], "test": []}
    for language in LANGUAGES:
        plain["train"].append(
            shell(
                "grep -v '<url>' | grep -v '<talkid>' | grep -v '<keywords>' | sed -e 's/<title>//g' | sed -e 's/<\\/title>//g' | "
                "sed -e 's/<description>//g' | sed -e 's/<\\/description>//g'",
                lines_of(members[f"de-en/train.tags.de-en.{language}"]),
            )
        )
        files = [lines_of(members[f"de-en/IWSLT14.{test}.de-en.{language}.xml"]) for test in TESTS]
        command = "grep '<seg id' | sed -e 's/<seg id=\"[0-9]*\">\\s*//g' | sed -e 's/\\s*<\\/seg>\\s*//g' | sed -e \"s/’/'/g\""
        plain["test"].append([line for file in files for line in shell(command, file)])
    tokenized = {part: [tokenize(lines, language) for lines, language in zip(sides, LANGUAGES)] for part, sides in plain.items()}
    cleaned = [lowercase(side) for side in clean(*tokenized["train"], 1, 175, 1.5)]
    prepared = {
        "train": [shell("awk '{if (NR%23 != 0) print $0; }'", side) for side in cleaned],
        "valid": [shell("awk '{if (NR%23 == 0) print $0; }'", side) for side in cleaned],
        "test": [lowercase(side) for side in tokenized["test"]],
    }
    bpe = learn(prepared["train"][0] + prepared["train"][1], 10_000)
    return recipe({"de-en.tgz": members}, plain, prepared, bpe)


def wmt16():
    rows = [*HARD, *ROWS]
    corpora = {"europarl-v7": rows[:120], "commoncrawl": rows[120:200], "news-commentary-v11": rows[200:260]}
    where = {
        "europarl-v7": ("training-parallel-europarl-v7.tgz", "training/"),
        "commoncrawl": ("training-parallel-commoncrawl.tgz", ""),
        "news-commentary-v11": ("training-parallel-nc-v11.tgz", "training-parallel-nc-v11/"),
    }
    archives = {}
    for name, text in corpora.items():
        archive, folder = where[name]
        archives[archive] = {
            f"{folder}{name}.{other}.{language}": "Kein Teil davon.\n" if other != "de-en" else "".join(f"{row[side]}\n" for row in text)
            for other in ["cs-en", "de-en"]
            for side, language in enumerate(LANGUAGES)
        }
    valid, test = rows[260:280], with_entities([*rows[280:300], *HARD[:3]])
    archives["dev.tgz"] = {
        "dev/newstest2013.cs": "Nic.\n",
        "dev/newstest2014-deen-src.de.sgm": sgm_file(test, 0, "srcset"),
        "dev/newstest2014-deen-ref.en.sgm": sgm_file(test, 1, "refset"),
        "dev/newstest2013.de": "".join(f"{row[0]}\n" for row in valid),
        "dev/newstest2013.en": "".join(f"{row[1]}\n" for row in valid),
    }
    order = {"en": 1, "de": 0}
    plain = {
        "train": [
            [line for name, (archive, folder) in where.items() for line in lines_of(archives[archive][f"{folder}{name}.de-en.{language}"])]
            for language in order
        ],
        "valid": [lines_of(archives["dev.tgz"][f"dev/newstest2013.{language}"]) for language in order],
        "test": [
            from_sgm(lines_of(archives["dev.tgz"][f"dev/newstest2014-deen-{kind}.{language}.sgm"]))
            for language, kind in [("en", "ref"), ("de", "src")]
        ],
    }
    tokenized = {part: [tokenize(lines, language) for lines, language in zip(sides, order)] for part, sides in plain.items()}
    prepared = {**tokenized, "train": list(clean(*tokenized["train"], 1, 80))}
    bpe = learn(prepared["train"][0] + prepared["train"][1], 32_000)
    return recipe(archives, plain, prepared, bpe)


def recipe(archives, plain, prepared, bpe):
    subwords = {part: [[bpe.process_line(line) for line in side] for side in sides] for part, sides in prepared.items()}
    plain = {part: [[printing(line) for line in side] for side in sides] for part, sides in plain.items()}
    return {"archives": archives, "plain": plain, "prepared": prepared, "subwords": subwords}


def main():
    output = {"iwslt14-de-en": iwslt14(), "wmt16-en-de": wmt16()}
    with gzip.GzipFile(HERE / "recipes.json.gz", "wb", mtime=0) as file:
        file.write(json.dumps(output).encode())
    for name, found in output.items():
        print(name, {part: len(sides[0]) for part, sides in found["prepared"].items()})


if __name__ == "__main__":
    main()

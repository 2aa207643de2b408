"""Writes glue.json.gz: GLUE's folders in miniature, and the samples that the field reads from them.

    python glue.py             # needs transformers 4 (its GLUE processors), no torch; pretrained.json.gz beside it

The files have the names, headers and quirks of those published, with sentences of the embedded corpus in them. They are
read by transformers' processors, and once more by MT-DNN's rules (lines stripped, texts and labels counted from the end);
both must agree. Texts are encoded with the folder `roberta` of pretrained.json.gz, which loses nothing of them.
"""

import gzip
import json
import pathlib
import tempfile

import transformers
from transformers.data.processors.glue import glue_processors

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parents[3] / "ts/task/translation/corpus/test.tsv.gz"
LABELS = {
    "cola": ["0", "1"], "sst-2": ["0", "1"], "mrpc": ["0", "1"], "qqp": ["0", "1"], "sts-b": None,
    "mnli": ["contradiction", "neutral", "entailment"], "qnli": ["not_entailment", "entailment"], "rte": ["not_entailment", "entailment"],
}

with gzip.open(CORPUS, "rt", encoding="utf-8") as corpus:
    SENTENCES = [line.rstrip("\n").split("\t")[1] for line in corpus]
# What a reader of CSV trips over, and a tokenizer.
HARD = ['"Quoted at the start', 'ends in a quote"', '"whole"', "''two'' `ticks`", "comma, and; semicolon", "Ünïcödé 日本 👩‍👧", "line\u2028separator", " leads", "a,\"b\",c", "NULL", "nan", "n/a"]


def text(index):
    return HARD[index // 5 % len(HARD)] if index % 5 == 2 else SENTENCES[index % len(SENTENCES)]


def table(header, rows):
    return "".join("\t".join(map(str, row)) + "\n" for row in ([header] if header else []) + rows)


def cola():
    row = lambda index: ["gj04", index % 3 % 2, "*" if index % 2 else "", text(index)]
    return {"CoLA/train.tsv": table(None, [row(i) for i in range(40)]), "CoLA/dev.tsv": table(None, [row(i) for i in range(40, 55)]),
            "CoLA/test.tsv": table(["index", "sentence"], [[i, text(60 + i)] for i in range(12)])}


def sst():
    row = lambda index: [text(index) + " ", index % 2]
    return {"SST-2/train.tsv": table(["sentence", "label"], [row(i) for i in range(40)]), "SST-2/dev.tsv": table(["sentence", "label"], [row(i) for i in range(40, 55)]),
            "SST-2/test.tsv": table(["index", "sentence"], [[i, text(60 + i)] for i in range(12)])}


MRPC = ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"]


def mrpc_rows(start, end):
    return [[index % 3 % 2, 1000 + index, 2000 + index, text(index).strip(), text(index + 3).strip()] for index in range(start, end)]


def mrpc():
    mark = "\ufeff"
    return {"MRPC/train.tsv": mark + table(MRPC, mrpc_rows(0, 40)), "MRPC/dev.tsv": mark + table(MRPC, mrpc_rows(40, 55)),
            "MRPC/test.tsv": mark + table(["index", *MRPC[1:]], [[i, *row[1:]] for i, row in enumerate(mrpc_rows(60, 72))])}


def mrpc_published():
    """Microsoft's files, whose lines end in CR LF, and the list that GLUE's script splits them by."""
    rows = mrpc_rows(0, 55)
    crlf = lambda lines: ("\ufeff" + lines).replace("\n", "\r\n")
    ids = "".join(f"{row[1]}\t{row[2]}\n" for row in rows if row[1] % 4 == 1)
    return {"MRPC/msr_paraphrase_train.txt": crlf(table(MRPC, rows)), "MRPC/msr_paraphrase_test.txt": crlf(table(MRPC, mrpc_rows(60, 72))), "MRPC/dev_ids.tsv": ids}


def formatted(files):
    """What download_glue_data.py writes of them."""
    named = [line.split("\t") for line in files["MRPC/dev_ids.tsv"].split("\n")[:-1]]
    rows = [line.split("\t") for line in files["MRPC/msr_paraphrase_train.txt"].lstrip("\ufeff").replace("\r\n", "\n").split("\n")[1:-1]]
    test = [line.split("\t") for line in files["MRPC/msr_paraphrase_test.txt"].lstrip("\ufeff").replace("\r\n", "\n").split("\n")[1:-1]]
    return {"MRPC/train.tsv": table(MRPC, [row for row in rows if row[1:3] not in named]), "MRPC/dev.tsv": table(MRPC, [row for row in rows if row[1:3] in named]),
            "MRPC/test.tsv": table(MRPC, test)}


def sts():
    header = ["index", "genre", "filename", "year", "old_index", "source1", "source2", "sentence1", "sentence2", "score"]
    row = lambda index: [index, "main-captions", "MSRvid", "2012test", f"{index:04}", "none", "none", text(index), text(index + 7), f"{index * 7 % 51 / 10:.3f}"]
    return {"STS-B/train.tsv": table(header, [row(i) for i in range(40)]), "STS-B/dev.tsv": table(header, [row(i) for i in range(15)]),
            "STS-B/test.tsv": table(header[:-1], [row(i)[:-1] for i in range(12)])}


def qqp():
    header = ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"]
    row = lambda index: [index, index * 2, index * 2 + 1, text(index), text(index + 4), index % 2]
    rows = [row(i) for i in range(40)]
    # Questions with a line feed in them, which the published file has in two lines, one that is cut off, and an empty one.
    broken = [*rows[:9], [9, 18, 19, "How does"], ["a line feed", "get in", 1], *rows[9:20], [20, 1, 2, ""], *rows[20:30], [30, 60, 61, text(30), "", 1], *rows[30:]]
    return {"QQP/train.tsv": table(header, broken), "QQP/dev.tsv": table(header, [row(i) for i in range(40, 55)]),
            "QQP/test.tsv": table(["id", "question1", "question2"], [[i, text(60 + i), text(70 + i)] for i in range(12)])}


def mnli():
    head = ["index", "promptID", "pairID", "genre", "sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse", "sentence2_parse", "sentence1", "sentence2"]
    row = lambda i: [i, 31193 + i, f"{i}n", "government", "( ( Conceptually ) )", "( x )", "(ROOT (NP))", "(ROOT (S))", text(i), text(i + 9)]
    gold = lambda i: ["neutral", "entailment", "contradiction"][i % 3]
    dev = lambda start: [[*row(i), "neutral", "entailment", "neutral", "-", "contradiction", "-" if i % 6 == 5 else gold(i)] for i in range(start, start + 15)]
    labels = [*[f"label{number}" for number in range(1, 6)], "gold_label"]
    test = lambda start: [[i, *row(start + i)[1:]] for i in range(12)]
    return {"MNLI/train.tsv": table([*head, "label1", "gold_label"], [[*row(i), gold(i + 1), gold(i)] for i in range(40)]),
            "MNLI/dev_matched.tsv": table([*head, *labels], dev(40)), "MNLI/dev_mismatched.tsv": table([*head, *labels], dev(60)),
            "MNLI/test_matched.tsv": table(head, test(80)), "MNLI/test_mismatched.tsv": table(head, test(90))}


def entailment(folder, texts):
    header = ["index", *texts, "label"]
    row = lambda index: [index, text(index), text(index + 6), ["entailment", "not_entailment"][index % 3 % 2]]
    return {f"{folder}/train.tsv": table(header, [row(i) for i in range(40)]), f"{folder}/dev.tsv": table(header, [row(i) for i in range(40, 55)]),
            f"{folder}/test.tsv": table(header[:-1], [[i, text(60 + i), text(66 + i)] for i in range(12)])}


FILES = {"cola": cola(), "sst-2": sst(), "mrpc": mrpc(), "mrpc-published": mrpc_published(), "sts-b": sts(), "qqp": qqp(), "mnli": mnli(),
         "qnli": entailment("QNLI", ["question", "sentence"]), "rte": entailment("RTE", ["sentence1", "sentence2"])}
PARTS = {"train": "train", "valid": "dev", "test": "test"}


def by_mt_dnn(task, part, file):
    """Texts and label of each line by MT-DNN's rules."""
    lines = [line.strip().split("\t") for line in file.lstrip("\ufeff").split("\n")[:-1]]
    lines = lines if task == "cola" and part != "test" else lines[1:]
    labelled = part != "test"
    for line in lines:
        if task == "qqp" and labelled and len(line) < 6 or task == "mnli" and line[-1] == "-":
            continue
        if task in ["cola", "sst-2"]:
            where = [-1] if task == "cola" or not labelled else [0]
        else:
            where = [8, 9] if task == "mnli" else [1, 2] if task == "qnli" else [-3, -2] if labelled and task != "mrpc" else [-2, -1]
        label = line[0 if task == "mrpc" else 1 if task == "cola" else -1] if labelled else None
        yield [line[place] for place in where], label


def samples(task, files):
    processors = {"": glue_processors[task]()} | ({"Mismatched": glue_processors["mnli-mm"]()} if task == "mnli" else {})
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="")
        folder = path.parent
        for suffix, processor in processors.items():
            for part, name in PARTS.items():
                if part == "train" and suffix:
                    continue
                found = getattr(processor, f"get_{name}_examples")(folder)
                found = [example for example in found if example.label != "-"]
                file = folder / (f"{name}{'_mismatched' if suffix else '_matched'}.tsv" if task == "mnli" and part != "train" else f"{name}.tsv")
                other = list(by_mt_dnn(task, part, file.read_text(encoding="utf-8")))
                assert len(found) == len(other), (task, part, len(found), len(other))
                for example, (texts, label) in zip(found, other):
                    ours = [example.text_a, *([] if example.text_b is None else [example.text_b])]
                    # Stripping a line takes spaces off its ends.
                    assert [text.strip() for text in ours] == [text.strip() for text in texts], (task, part, ours, texts)
                    assert example.label == label, (task, part, example, label)
                yield part + suffix, found


def main():
    pretrained = json.loads(gzip.decompress((HERE / "pretrained.json.gz").read_bytes()))["folders"]["roberta"]["files"]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in pretrained.items():
            pathlib.Path(folder, name).write_text(content, encoding="utf-8")
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    output = {"versions": {"transformers": transformers.__version__}, "tasks": {}}
    for name, files in FILES.items():
        task = name.removesuffix("-published")
        read = files
        if name != task:
            read = formatted(files)
        parts = {}
        for part, examples in samples(task, read):
            rows = []
            for example in examples:
                pair = None if example.text_b is None else [example.text_b]
                ids = tokenizer([example.text_a], pair, truncation=True, max_length=32)["input_ids"][0]
                label = example.label if LABELS[task] is None or example.label is None else LABELS[task].index(example.label)
                rows.append({"ids": ids, "label": float(label) if isinstance(label, str) else label})
            parts[part] = rows
        if name != task:
            # The published test file has its labels.
            lines = files["MRPC/msr_paraphrase_test.txt"].split("\r\n")[1:-1]
            for row, line in zip(parts["test"], lines):
                row["label"] = int(line[0])
        output["tasks"][name] = {"files": files, "parts": parts}
    with gzip.GzipFile(HERE / "glue.json.gz", "wb", mtime=0) as file:
        file.write(json.dumps(output).encode())
    print({name: {part: len(rows) for part, rows in found["parts"].items()} for name, found in output["tasks"].items()})


if __name__ == "__main__":
    main()

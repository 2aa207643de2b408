"""Writes tokenizer.json: ids and decoded text of Hugging Face's libraries for the tokenizer in ./tokenizer.

    cargo test --release -p sagetrain-data --test tokenizer -- --ignored write_the_fixture
    python tokenizer.py        # needs tokenizers and transformers, no torch

The same folder is opened by `tokenizers.Tokenizer` and by `transformers.AutoTokenizer`, alone and beside a Marian
config.json; all must agree.
"""

import gzip
import json
import pathlib
import shutil
import tempfile

import tokenizers
import transformers

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "tokenizer"
CORPUS = HERE.parents[3] / "ts/task/translation/corpus/valid.tsv.gz"

HARD = [
    "x", "  two  spaces   three", "tab\tinside", "Größenmaßstäbe äöüß ÄÖÜ", "e\u0301 é", "naïve ﬁ ½ №", "日本語の文",
    "👩‍👩‍👧 family", "1234567890 3.14 1,000", "don't we'll I'M", "a\u00a0b\u2009c", "\u200bzero\u200b", "--option=/path/to",
    "https://example.org/?q=1&r=2", "</s> in the text", "<pad><unk>", "ALL CAPS", "CamelCaseWord", "\"CellCount\"",
    "trailing space ", " leading space", "", "\ufffd", "Ω≈ç√∫˜µ≤", "مرحبا", "नमस्ते",
]


def main():
    with gzip.open(CORPUS, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][:30]
    texts = HARD + [side for row in rows for side in row]
    plain = tokenizers.Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    plain.encode_special_tokens = True
    auto = [transformers.AutoTokenizer.from_pretrained(FOLDER)]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        size = plain.get_vocab_size()
        config = {"model_type": "marian", "architectures": ["MarianMTModel"], "vocab_size": size, "eos_token_id": 0,
                  "pad_token_id": size - 1, "decoder_start_token_id": size - 1}
        pathlib.Path(folder, "config.json").write_text(json.dumps(config))
        auto.append(transformers.AutoTokenizer.from_pretrained(folder))

    cases = []
    for text in texts:
        ids = plain.encode(text).ids
        decoded = plain.decode(ids)
        for tokenizer in auto:
            assert tokenizer(text, split_special_tokens=True)["input_ids"] == ids, text
            assert tokenizer.decode(ids, skip_special_tokens=True) == decoded, text
        cases.append({"text": text, "ids": ids, "decoded": decoded})
    for tokenizer in auto:
        found = (tokenizer.eos_token_id, tokenizer.unk_token_id, tokenizer.pad_token_id, len(tokenizer))
        assert found == (0, 1, size - 1, size), found
        assert tokenizer.model_max_length == 256

    versions = {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__}
    output = {"versions": versions, "cases": cases}
    (HERE / "tokenizer.json").write_text(json.dumps(output, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(len(cases), "cases,", versions)


if __name__ == "__main__":
    main()

"""Writes pretrained.json.gz: folders of encoders' tokenizers, and what transformers' AutoTokenizer gives for texts and pairs.

    python pretrained.py       # needs transformers and tokenizers, no torch

The vocabularies are learnt from the embedded corpus. Each folder is one way in which encoders are published: BERT's
`vocab.txt` or `tokenizer.json`, RoBERTa's `vocab.json` and `merges.txt`, with what their configurations may say.
"""

import gzip
import json
import pathlib
import tempfile

import tokenizers
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parents[3] / "ts/task/translation/corpus/valid.tsv.gz"

HARD = [
    "", " ", "x", "  two  spaces   three ", "tab\tinside", "line\nfeed and\r\nreturn", "Größenmaßstäbe äöüß ÄÖÜ", "e\u0301 é naïve ﬁ ½ №",
    "日本語の文 and 漢字", "👩‍👩‍👧 family", "1234567890 3.14 1,000", "don't we'll I'M", "a\u00a0b\u2009c\u2028d", "\u200bzero\u200b \x00nul \x07bell \ufffd",
    "[SEP] in the text [CLS]", "a [MASK] here", "</s> in <s> the <mask> text", "<news> item <news>", "ALL CAPS", "CamelCaseWord", "\"quoted\" -- text...",
    "supercalifragilisticexpialidocious" * 4, "https://example.org/?q=1&r=2", "مرحبا नमस्ते", "İstanbul ΟΔΟΣ ẞ", "trailing space ", " leading space",
]
LIKE_BERT = ["ConvBert", "DistilBert", "Electra", "LayoutLM", "Lxmert", "MobileBert", "SqueezeBert"]
LIKE_ROBERTA = ["Bart", "LED", "Longformer", "Mvp"]
LENGTHS = [512, 5, 6, 7, 8, 9, 12, 16, 17]


def corpus():
    with gzip.open(CORPUS, "rt", encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t")[1] for line in file]


def word_pieces(sentences):
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(sentences + HARD, trainers.WordPieceTrainer(vocab_size=900, special_tokens=special, show_progress=False))
    return tokenizer


def byte_pairs(sentences):
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=800, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(sentences, trainer)
    return tokenizer


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        return {path.split("/")[-1]: pathlib.Path(path).read_text(encoding="utf-8") for path in model.save(folder)}


def written(files):
    folder = tempfile.TemporaryDirectory()
    for name, text in files.items():
        pathlib.Path(folder.name, name).write_text(text, encoding="utf-8")
    return folder


def whole(files, change=lambda json: None):
    """The `tokenizer.json` that transformers writes of a folder, changed."""
    with written(files) as folder, tempfile.TemporaryDirectory() as output:
        transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(output)
        file = json.loads(pathlib.Path(output, "tokenizer.json").read_text(encoding="utf-8"))
    change(file)
    return json.dumps(file, ensure_ascii=False)


def folders():
    sentences = corpus()
    vocabulary = saved(word_pieces(sentences).model)
    bytes_ = saved(byte_pairs(sentences).model)
    size = len(vocabulary["vocab.txt"].splitlines())
    bert = {"config.json": json.dumps({"model_type": "bert", "max_position_embeddings": 512})}
    roberta = {"config.json": json.dumps({"model_type": "roberta", "max_position_embeddings": 514})}

    def config(kind, **said):
        return {"tokenizer_config.json": json.dumps({"tokenizer_class": kind, "model_max_length": 512, **said})}

    mask = {"content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>", "cls_token": "<s>", "mask_token": mask}

    def short(file, direction="Right"):
        """As all-MiniLM-L6-v2 has it: what is asked of a text is said in the file."""
        file["truncation"] = {"direction": direction, "max_length": 16, "strategy": "LongestFirst", "stride": 0}
        file["padding"] = {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}

    def left(file):
        short(file, "Left")

    return {
        "bert": {**vocabulary, **bert, **config("BertTokenizer", do_lower_case=True)},
        "bert-bare": {**vocabulary, **bert},
        "bert-classless": {**vocabulary, **bert, "tokenizer_config.json": json.dumps({"do_lower_case": False, "model_max_length": 512})},
        "bert-cased": {**vocabulary, **bert, **config("BertTokenizer", do_lower_case=False)},
        "bert-accents": {**vocabulary, **bert, **config("BertTokenizer", do_lower_case=True, strip_accents=False, tokenize_chinese_chars=False)},
        "bert-added": {
            **vocabulary, **bert, **config("BertTokenizer"), "added_tokens.json": json.dumps({"<news>": size}),
            "special_tokens_map.json": json.dumps({"additional_special_tokens": ["<news>"]}),
        },
        "bert-json": {"tokenizer.json": whole({**vocabulary, **bert}, short), **bert, **config("BertTokenizer", do_lower_case=True)},
        "bert-json-cased": {"tokenizer.json": whole({**vocabulary, **bert}), **bert, **config("BertTokenizer", do_lower_case=False)},
        "fast": {
            "tokenizer.json": whole({**vocabulary, **bert}), **bert,
            **config("PreTrainedTokenizerFast", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]"),
        },
        "roberta": {**bytes_, **roberta, **config("RobertaTokenizer", add_prefix_space=False), "special_tokens_map.json": json.dumps(named)},
        "roberta-bare": {**bytes_, **roberta},
        "roberta-prefix": {**bytes_, **roberta, **config("RobertaTokenizer", add_prefix_space=True)},
        "roberta-json": {"tokenizer.json": whole({**bytes_, **roberta}), **roberta, **config("RobertaTokenizer")},
        "bert-left": {**vocabulary, **bert, **config("BertTokenizer", truncation_side="left")},
        "bert-json-left": {"tokenizer.json": whole({**vocabulary, **bert}, left), **bert},
        "bert-json-right": {"tokenizer.json": whole({**vocabulary, **bert}, left), **bert, **config("BertTokenizer", truncation_side="right")},
        "roberta-left": {**bytes_, **roberta, **config("RobertaTokenizer", truncation_side="left")},
        "bert-split": {
            **vocabulary, **bert, **config("BertTokenizer", split_special_tokens=True, additional_special_tokens=["<news>"]),
            "added_tokens.json": json.dumps({"<news>": size, "item": size + 1}),
        },
        "bert-json-split": {"tokenizer.json": whole({**vocabulary, **bert}), **bert, **config("BertTokenizer", split_special_tokens=True)},
        "roberta-split": {**bytes_, **roberta, **config("RobertaTokenizer", split_special_tokens=True)},
        # Classes that split as BERT's or RoBERTa's do; DistilBERT's models take no types.
        **{f"bert-as-{kind}": {**vocabulary, **bert, **config(f"{kind}Tokenizer", do_lower_case=False)} for kind in LIKE_BERT},
        **{f"roberta-as-{kind}": {**bytes_, **roberta, **config(f"{kind}Tokenizer", add_prefix_space=True)} for kind in LIKE_ROBERTA},
    }


def cases(sentences, tokenizer):
    long = " ".join(sentences[:6])
    texts = HARD + sentences[:10]
    asked = [(text, None, length) for text in texts for length in [512, 7]]
    asked += [(first, second, 512) for first, second in zip(HARD, reversed(HARD))]
    asked += [(first, second, 512) for first, second in zip(sentences[10:20], sentences[20:30])]
    asked += [(first, second, length) for length in LENGTHS for first, second in [
        (long, long), (sentences[0], long), (long, sentences[0]), ("a b c", "d e f"), ("a b c d", "e f g"), ("x", long), (long, ""), (sentences[1], sentences[2])]]
    asked += [(long, None, length) for length in LENGTHS]
    found = []
    for first, second, length in asked:
        # In lists: alone, an empty second text is taken for none.
        pair = None if second is None else [second]
        output = tokenizer([first], pair, truncation="longest_first", max_length=length, padding=False)
        types = output["token_type_ids"][0] if "token_type_ids" in output else None
        found.append({"first": first, "second": second, "length": length, "ids": output["input_ids"][0], "types": types})
    return found


def main():
    sentences = corpus()
    output = {"versions": {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__}, "folders": {}}
    for name, files in folders().items():
        with written(files) as folder:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            special = {"end": tokenizer.sep_token_id, "pad": tokenizer.pad_token_id, "size": len(tokenizer)}
            types = "token_type_ids" in tokenizer.model_input_names
            # Of what a class's name alone makes the same, some are enough.
            some = cases(sentences, tokenizer)[:: 8 if "-as-" in name else 1]
            output["folders"][name] = {"files": files, "special": special, "types": types, "cases": some}
    with gzip.GzipFile(HERE / "pretrained.json.gz", "wb", mtime=0) as file:
        file.write(json.dumps(output).encode())
    print({name: len(found["cases"]) for name, found in output["folders"].items()}, output["versions"])


if __name__ == "__main__":
    main()

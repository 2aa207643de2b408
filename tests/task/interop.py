"""Translates with what transformers and CTranslate2 make of model folders, and prints it as JSON.

    python interop.py '{"texts": ["…"], "beam": 4, "longest": 40}' FOLDER…

For each folder: the class transformers opens it as, its greedy translations, and CTranslate2's, greedy and by beam. One with the target's
tokenizer in target/ is converted by convert_two_vocabularies.py; `stock` is what CTranslate2's own converter and loader say to it.
"""
import json
import os
import subprocess
import sys
import tempfile

import ctranslate2
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer


def has_two(folder):
    return os.path.isdir(os.path.join(folder, "target"))


def tokenizers(folder):
    source = AutoTokenizer.from_pretrained(folder)
    return source, AutoTokenizer.from_pretrained(folder, subfolder="target") if has_two(folder) else source


def by_transformers(folder, texts, longest):
    model, (tokenizer, target) = AutoModelForSeq2SeqLM.from_pretrained(folder).eval(), tokenizers(folder)
    found = []
    for text in texts:
        ids = model.generate(**tokenizer(text, return_tensors="pt"), num_beams=1, do_sample=False, max_length=longest + 1)
        found.append(target.decode(ids[0], skip_special_tokens=True))
    return type(model).__name__, found


STOCK = [sys.executable, "-m", "ctranslate2.converters.transformers", "--force", "--model"]
TWO = [sys.executable, os.path.join(os.path.dirname(__file__), "convert_two_vocabularies.py")]


def stock(folder):
    """The error that two vocabularies of different sizes are met with."""
    with tempfile.TemporaryDirectory() as converted:
        done = subprocess.run([*STOCK, folder, "--output_dir", converted], capture_output=True, text=True)
        if done.returncode != 0:
            return done.stderr.strip().splitlines()[-1]
        try:
            ctranslate2.Translator(converted, device="cpu")
        except (RuntimeError, ValueError) as error:
            return str(error)


def by_ctranslate2(folder, texts, beams, longest):
    tokenizer, target = tokenizers(folder)
    sources = [tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]) for text in texts]
    with tempfile.TemporaryDirectory() as converted:
        command = [*TWO, folder, converted] if has_two(folder) else [*STOCK, folder, "--output_dir", converted]
        subprocess.run(command, check=True, capture_output=True)
        translator = ctranslate2.Translator(converted, device="cpu", compute_type="float32", intra_threads=1)
        for beam in beams:
            results = translator.translate_batch(sources, beam_size=beam, max_decoding_length=longest, length_penalty=1.0)
            ids = [target.convert_tokens_to_ids(result.hypotheses[0]) for result in results]
            yield [target.decode(one, skip_special_tokens=True) for one in ids]


torch.set_num_threads(1)
wanted, folders = json.loads(sys.argv[1]), sys.argv[2:]
reports = []
for folder in folders:
    name, greedy = by_transformers(folder, wanted["texts"], wanted["longest"])
    ct2_greedy, ct2_beam = by_ctranslate2(folder, wanted["texts"], [1, wanted["beam"]], wanted["longest"])
    reports.append({"class": name, "greedy": greedy, "ct2Greedy": ct2_greedy, "ct2Beam": ct2_beam, "stock": stock(folder) if has_two(folder) else None})
print(json.dumps(reports))

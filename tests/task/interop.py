"""Translates with what transformers and CTranslate2 make of model folders, and prints it as JSON.

    python interop.py '{"texts": ["…"], "beam": 4, "longest": 40}' FOLDER…

For each folder: the class transformers opens it as, its greedy translations, and CTranslate2's, greedy and by beam.
"""
import json
import subprocess
import sys
import tempfile

import ctranslate2
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer


def by_transformers(folder, texts, longest):
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    found = []
    for text in texts:
        ids = model.generate(**tokenizer(text, return_tensors="pt"), num_beams=1, do_sample=False, max_length=longest + 1)
        found.append(tokenizer.decode(ids[0], skip_special_tokens=True))
    return type(model).__name__, found


def by_ctranslate2(folder, texts, beams, longest):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    sources = [tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]) for text in texts]
    with tempfile.TemporaryDirectory() as converted:
        converter = [sys.executable, "-m", "ctranslate2.converters.transformers"]
        subprocess.run([*converter, "--model", folder, "--output_dir", converted, "--force"], check=True, capture_output=True)
        translator = ctranslate2.Translator(converted, device="cpu", compute_type="float32", intra_threads=1)
        for beam in beams:
            results = translator.translate_batch(sources, beam_size=beam, max_decoding_length=longest, length_penalty=1.0)
            ids = [tokenizer.convert_tokens_to_ids(result.hypotheses[0]) for result in results]
            yield [tokenizer.decode(one, skip_special_tokens=True) for one in ids]


torch.set_num_threads(1)
wanted, folders = json.loads(sys.argv[1]), sys.argv[2:]
reports = []
for folder in folders:
    name, greedy = by_transformers(folder, wanted["texts"], wanted["longest"])
    ct2_greedy, ct2_beam = by_ctranslate2(folder, wanted["texts"], [1, wanted["beam"]], wanted["longest"])
    reports.append({"class": name, "greedy": greedy, "ct2Greedy": ct2_greedy, "ct2Beam": ct2_beam})
print(json.dumps(reports))

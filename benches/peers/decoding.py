"""Decodes sentences with a beam, once for every line on standard input, and prints seconds and outputs as a line of JSON each.

    python decoding.py ctranslate2 MODEL_FOLDER sources.txt --beam 5 --threads 2 --tokens 24

All outputs are made `--tokens` long. Tokenising, padding and, for CTranslate2, converting happen before the clock starts.
"""

import argparse
import json
import sys
import tempfile
import time


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=["transformers", "ctranslate2"])
    parser.add_argument("model", help="a Marian folder with tokenizer.json")
    parser.add_argument("sources", help="a sentence a line")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=24, help="of every output, </s> not counted")
    return parser.parse_args()


def with_transformers(given, sources, tokenizer):
    import torch
    from transformers import MarianMTModel

    torch.set_num_threads(given.threads)
    model = MarianMTModel.from_pretrained(given.model, dtype=torch.float32).eval()
    batch = tokenizer(sources, return_tensors="pt", padding=True)
    batch = {key: batch[key] for key in ("input_ids", "attention_mask")}

    @torch.inference_mode()
    def decode():
        return model.generate(
            **batch, num_beams=given.beam, min_new_tokens=given.tokens, max_new_tokens=given.tokens + 1, length_penalty=1.0, do_sample=False)

    return decode, lambda outputs: tokenizer.batch_decode(outputs, skip_special_tokens=True)


def with_ctranslate2(given, sources, tokenizer):
    import ctranslate2

    folder = tempfile.mkdtemp()
    ctranslate2.converters.TransformersConverter(given.model).convert(folder, force=True)
    translator = ctranslate2.Translator(folder, device="cpu", compute_type="float32", inter_threads=1, intra_threads=given.threads)
    rows = [tokenizer.convert_ids_to_tokens(tokenizer.encode(source)) for source in sources]

    def decode():
        return translator.translate_batch(
            rows, beam_size=given.beam, min_decoding_length=given.tokens, max_decoding_length=given.tokens, length_penalty=1, max_batch_size=0)

    def text(outputs):
        return [tokenizer.decode(tokenizer.convert_tokens_to_ids(output.hypotheses[0]), skip_special_tokens=True) for output in outputs]

    return decode, text


def main():
    from transformers import AutoTokenizer

    given = options()
    with open(given.sources, encoding="utf-8") as file:
        sources = file.read().splitlines()
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    decode, text = {"transformers": with_transformers, "ctranslate2": with_ctranslate2}[given.engine](given, sources, tokenizer)
    decode()
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        outputs = decode()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "outputs": text(outputs)}), flush=True)


if __name__ == "__main__":
    main()

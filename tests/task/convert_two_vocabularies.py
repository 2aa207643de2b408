"""Converts a Marian folder with two vocabularies for CTranslate2, whose own converter gives the target the source's tokens.

    python convert_two_vocabularies.py MODEL OUTPUT

MODEL has the source's tokenizer.json and the target's in target/. Where CTranslate2 starts from a zero vector, <pad> is no token.
"""
import sys

from ctranslate2.converters.transformers import MarianMTLoader, TransformersConverter, register_loader
from transformers import AutoTokenizer


class TwoVocabularies(MarianMTLoader):
    def get_vocabulary(self, model, tokenizer):
        target = AutoTokenizer.from_pretrained(tokenizer.name_or_path, subfolder="target")
        vocabularies = [one.get_vocab() for one in (tokenizer, target)]
        return [sorted(tokens, key=tokens.get)[:-1] for tokens in vocabularies]

    def set_vocabulary(self, spec, tokens):
        source, target = tokens
        spec.register_source_vocabulary(source)
        spec.register_target_vocabulary(target)

    def _remove_pad_weights(self, spec):
        for table in [spec.encoder.embeddings[0], spec.decoder.embeddings, spec.decoder.projection]:
            table.weight = table.weight[:-1]
        if spec.decoder.projection.has_bias():
            spec.decoder.projection.bias = spec.decoder.projection.bias[:-1]


if __name__ == "__main__":
    register_loader("MarianConfig")(TwoVocabularies)
    TransformersConverter(sys.argv[1]).convert(sys.argv[2], force=True)

"""Counts the parameters of fairseq's Transformers from torch's own layers, put together as fairseq's modules are.

    pip install torch==2.13.0 && python fairseq_sizes.py

The dictionaries are those of IWSLT'14 German-English (8,848 and 6,632 types) and WMT's joined one of 32,768. Biases everywhere but in the output projection; sinusoids are no parameters.
"""
from torch import nn


def attention(d):
    return [nn.Linear(d, d) for _ in range(4)]


def encoder_layer(d, inner):
    return nn.ModuleList([*attention(d), nn.Linear(d, inner), nn.Linear(inner, d), nn.LayerNorm(d), nn.LayerNorm(d)])


def decoder_layer(d, inner):
    return nn.ModuleList([encoder_layer(d, inner), *attention(d), nn.LayerNorm(d)])


def transformer(d, inner, source, target, sharing, layers=6):
    model = nn.ModuleList([encoder_layer(d, inner) for _ in range(layers)] + [decoder_layer(d, inner) for _ in range(layers)])
    model.append(nn.Embedding(source, d))
    if sharing != "all":
        model.append(nn.Embedding(target, d))
    if sharing == "none":
        model.append(nn.Linear(d, target, bias=False))
    return sum(p.numel() for p in model.parameters())


print("transformer_iwslt_de_en, decoder shared:", transformer(512, 1024, 8848, 6632, "decoder"))
print("transformer_iwslt_de_en, none shared:", transformer(512, 1024, 8848, 6632, "none"))
print("transformer_wmt_en_de, all shared:", transformer(512, 2048, 32768, 32768, "all"))
print("transformer_vaswani_wmt_en_de_big, all shared:", transformer(1024, 4096, 32768, 32768, "all"))

"""A Transformer encoder-decoder (Vaswani et al., 2017), post-norm, tied embeddings: Hugging Face's Marian, written for speed.

What a careful PyTorch user does on a CPU: one product for query, key and value, the attention that is fast in each
precision, no mask where none is needed, no logits for padding.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Config:
    vocab_size: int
    hidden_size: int = 256
    layers: int = 3
    heads: int = 4
    ffn_size: int = 1024
    dropout: float = 0.1
    max_positions: int = 512
    bfloat16_residual: bool = False  # else the sums between layers stay float32, as autocast leaves them
    fused_attention: bool = True  # else two products and a softmax


class Attention(nn.Module):
    def __init__(self, config, cross=False):
        super().__init__()
        self.heads = config.heads
        self.attend = F.scaled_dot_product_attention if config.fused_attention else attend
        size = config.hidden_size
        self.query = nn.Linear(size, size) if cross else None
        self.packed = nn.Linear(size, 2 * size if cross else 3 * size)  # key, value; or query, key, value
        self.output = nn.Linear(size, size)

    def forward(self, x, memory=None, mask=None, causal=False):
        if memory is None:
            query, key, value = self.packed(x).chunk(3, dim=-1)
        else:
            query, (key, value) = self.query(x), self.packed(memory).chunk(2, dim=-1)
        query, key, value = (self.split(t) for t in (query, key, value))
        attended = self.attend(query, key, value, attn_mask=mask, is_causal=causal)
        return self.output(attended.transpose(1, 2).flatten(2))

    def split(self, x):  # [batch, time, hidden] -> [batch, head, time, hidden / heads]
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def attend(query, key, value, attn_mask, is_causal):
    """scaled_dot_product_attention step by step: its fused backward in bfloat16 is several times slower on CPUs (2.13)."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)  # [batch, head, query, key]
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, float("-inf"))
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, float("-inf"))
    return scores.softmax(-1).to(value.dtype) @ value


class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.hidden_size, config.ffn_size)
        self.down = nn.Linear(config.ffn_size, config.hidden_size)

    def forward(self, x):
        return self.down(F.relu(self.up(x), inplace=True))


class Residual(nn.Module):
    """norm(x + dropout(sublayer(x)))"""

    def __init__(self, config, sublayer):
        super().__init__()
        self.sublayer = sublayer
        self.norm = nn.LayerNorm(config.hidden_size)
        self.dropout = config.dropout

    def forward(self, x, **inputs):
        return self.norm(x + F.dropout(self.sublayer(x, **inputs), self.dropout, self.training))


class EncoderLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = Residual(config, Attention(config))
        self.feed_forward = Residual(config, FeedForward(config))

    def forward(self, x, mask):
        return self.feed_forward(self.attention(x, mask=mask))


class DecoderLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = Residual(config, Attention(config))
        self.cross_attention = Residual(config, Attention(config, cross=True))
        self.feed_forward = Residual(config, FeedForward(config))

    def forward(self, x, memory, mask):
        # Padding stands at the end, so the causal mask alone keeps it from every real position.
        x = self.attention(x, causal=True)
        return self.feed_forward(self.cross_attention(x, memory=memory, mask=mask))


class Transformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.register_buffer("positions", sinusoids(config.max_positions, config.hidden_size), persistent=False)
        self.apply(initialise)
        nn.init.normal_(self.embedding.weight, std=config.hidden_size**-0.5)

    def embed(self, ids):
        x = self.embedding(ids) * math.sqrt(self.config.hidden_size) + self.positions[: ids.shape[1]]
        x = F.dropout(x, self.config.dropout, self.training)
        return x.bfloat16() if self.config.bfloat16_residual else x

    def encode(self, source, mask):
        x = self.embed(source)
        for layer in self.encoder:
            x = layer(x, mask)
        return x

    def decode(self, ids, memory, mask):  # [batch, time] -> [batch, time, hidden]
        x = self.embed(ids)
        for layer in self.decoder:
            x = layer(x, memory, mask)
        return x

    def logits(self, hidden):
        return F.linear(hidden, self.embedding.weight, self.bias)

    def loss(self, batch, smoothing):
        """Mean label-smoothed loss over the real target tokens."""
        memory = self.encode(batch.source, batch.source_mask)
        hidden = self.decode(batch.decoder_input, memory, batch.source_mask).flatten(0, 1)
        if batch.target_positions is not None:
            hidden = hidden.index_select(0, batch.target_positions)
        return F.cross_entropy(self.logits(hidden), batch.targets, label_smoothing=self.pytorch_smoothing(smoothing))

    def pytorch_smoothing(self, epsilon):
        """fairseq spreads ε over the V − 1 wrong tokens, PyTorch over all V: the same loss with ε · V / (V − 1)."""
        return epsilon * self.config.vocab_size / (self.config.vocab_size - 1)


def initialise(module):
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def sinusoids(count, size):
    """Sines in the first half of the columns, cosines in the second, as Marian has them."""
    frequencies = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angles = torch.arange(count, dtype=torch.float64)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()

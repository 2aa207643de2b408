"""Batches of token ids in one safetensors file, so that every system trains on the same sentences in the same order.

Tensors (rows are sentences, packed without padding):
    source_values   int32 [source tokens]   ids of all rows, each row ending in </s>
    source_offsets  int64 [rows + 1]        row r is source_values[source_offsets[r] : source_offsets[r + 1]]
    target_values   int32 [target tokens]   likewise; the decoder reads <pad> + row[:-1] and predicts the row
    target_offsets  int64 [rows + 1]
    batch_offsets   int64 [batches + 1]     batch b is the rows batch_offsets[b] .. batch_offsets[b + 1]
Metadata (strings): vocab_size. <pad> is its last id.
"""

from dataclasses import dataclass

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file


@dataclass(frozen=True)
class Batch:
    source: torch.Tensor  # int64 [sentences, source length], padded on the right
    source_mask: torch.Tensor | None  # bool [sentences, 1, 1, source length], True where attended; None without padding
    decoder_input: torch.Tensor  # int64 [sentences, target length], starts with <pad>
    target_positions: torch.Tensor | None  # int64 [target tokens]: where the flattened target is not padding
    targets: torch.Tensor  # int64 [target tokens]
    source_tokens: int
    target_tokens: int
    padded_tokens: int  # of both sides

    @staticmethod
    def of(sources, targets, pad):
        source, source_real = pad_rows(sources, pad)
        target, target_real = pad_rows(targets, pad)
        start = torch.full((len(targets), 1), pad)
        return Batch(
            source=source,
            source_mask=None if source_real.all() else source_real[:, None, None, :],
            decoder_input=torch.cat([start, target[:, :-1]], dim=1),
            target_positions=None if target_real.all() else target_real.flatten().nonzero().squeeze(1),
            targets=target[target_real],
            source_tokens=int(source_real.sum()),
            target_tokens=int(target_real.sum()),
            padded_tokens=source.numel() + target.numel(),
        )


def pad_rows(rows, pad):
    """(ids [rows, longest], True where real) of rows of unequal length."""
    lengths = torch.tensor([len(row) for row in rows])
    real = torch.arange(int(lengths.max()))[None, :] < lengths[:, None]
    ids = torch.full(real.shape, pad)
    ids[real] = torch.from_numpy(np.concatenate(rows).astype(np.int64))
    return ids, real


def read_rows(path, limit=None):
    """([(source ids of every row, target ids of every row)], one a batch; vocabulary size); at most `limit` batches."""
    with safe_open(path, framework="numpy") as file:
        columns = {name: file.get_tensor(name) for name in file.keys()}
        vocab_size = int(file.metadata()["vocab_size"])
    source = np.split(columns["source_values"], columns["source_offsets"][1:-1])
    target = np.split(columns["target_values"], columns["target_offsets"][1:-1])
    bounds = columns["batch_offsets"][: None if limit is None else limit + 1]
    spans = zip(bounds[:-1], bounds[1:])
    return [(source[a:b], target[a:b]) for a, b in spans], vocab_size


def read_batches(path, limit=None):
    """(batches, vocabulary size); at most `limit` batches. Padding is done here, outside of any measured time."""
    rows, vocab_size = read_rows(path, limit)
    return [Batch.of(source, target, vocab_size - 1) for source, target in rows], vocab_size


def write_batches(path, batches, vocab_size):
    """Writes a list of batches, each a list of (source ids, target ids)."""
    rows = [row for batch in batches for row in batch]
    columns = {"batch_offsets": offsets(batches)}
    for name, side in (("source", 0), ("target", 1)):
        columns[f"{name}_values"] = np.concatenate([np.asarray(row[side], np.int32) for row in rows])
        columns[f"{name}_offsets"] = offsets([row[side] for row in rows])
    save_file(columns, path, metadata={"vocab_size": str(vocab_size)})


def offsets(lists):
    return np.cumsum([0, *(len(items) for items in lists)], dtype=np.int64)

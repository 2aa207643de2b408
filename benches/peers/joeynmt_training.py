"""Trains JoeyNMT's own model with its own loss and optimizer on exported batches, and prints its speed as one line of JSON.

    python joeynmt_training.py batches.safetensors --threads 2 --steps 20

float32 alone: on a CPU JoeyNMT has no other precision. Its steps are those of its TrainManager; sorting, padding and masks are made
before the clock starts, as for translation.py. It computes logits of padding too, which is its own way. What it drops out of attention
weights and of the feed-forward layers' insides, the other systems keep here, so that is switched off.
"""

import argparse
import logging
import time
from types import SimpleNamespace

import torch

from joeynmt.batch import Batch
from joeynmt.builders import build_gradient_clipper, build_optimizer
from joeynmt.model import build_model
from joeynmt.vocabulary import Vocabulary

from batches import pad_rows, read_rows
from measured import report

# The ids of sagetrain's vocabularies, whose last is <pad>. JoeyNMT has one more, <s>.
EOS, UNK = 0, 1


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("batches", help="safetensors file, see batches.py")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["float32"], default="float32")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--warmup-steps", type=int, default=10)
    parser.add_argument("--hidden-size", type=int, default=256)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--ffn-size", type=int, default=1024)
    parser.add_argument("--dropout", type=float, default=0.1)
    return parser.parse_args()


def vocabulary(size):
    cfg = SimpleNamespace(
        unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>", sep_token=None, lang_tags=[],
        unk_id=0, pad_id=1, bos_id=2, eos_id=3, sep_id=None,
    )  # fmt: skip
    return Vocabulary([f"w{index}" for index in range(UNK + 1, size - 1)], cfg)


def build(args, size):
    vocab = vocabulary(size)
    embeddings = {"embedding_dim": args.hidden_size, "scale": True, "dropout": args.dropout}
    stack = {
        "type": "transformer",
        "num_layers": args.layers,
        "num_heads": args.heads,
        "embeddings": embeddings,
        "hidden_size": args.hidden_size,
        "ff_size": args.ffn_size,
        "dropout": args.dropout,
        "layer_norm": "post",
    }
    cfg = {
        "initializer": "xavier_uniform",
        "embed_initializer": "xavier_uniform",
        "tied_embeddings": True,
        "tied_softmax": True,
        "encoder": dict(stack),
        "decoder": dict(stack),
    }
    model = build_model(cfg, vocab, vocab)
    model.loss_function = ("crossentropy", 0.1)
    for name, module in model.named_modules():
        # As joeynmt/transformer_layers.py names them.
        if isinstance(module, torch.nn.Dropout) and name.endswith(("att.dropout", "pwff_layer.2")):
            module.p = 0.0
    return model.train(), vocab


def joey_batch(sources, targets, vocab):
    """Ids of ours to JoeyNMT's, which has its specials in front; <s> before every target."""
    special = {EOS: vocab.eos_index, UNK: vocab.unk_index}
    joey = lambda row: torch.tensor([special.get(int(id), int(id) + 2) for id in row])
    source, _ = pad_rows([joey(row).numpy() for row in sources], vocab.pad_index)
    started = [torch.cat([torch.tensor([vocab.bos_index]), joey(row)]).numpy() for row in targets]
    target, _ = pad_rows(started, vocab.pad_index)
    lengths = torch.tensor([len(row) for row in sources])
    batch = Batch(source, lengths, None, target, None, torch.arange(len(sources)), torch.device("cpu"), vocab.pad_index, vocab.eos_index)
    batch.sort_by_src_length()
    return batch


def step(model, optimizer, clip, batch):
    loss, _, _, correct = model(return_type="loss", **vars(batch))
    loss = batch.normalize(loss, normalization="tokens")
    loss.backward()
    correct.item()
    clip(parameters=model.parameters())
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def main():
    args = options()
    logging.disable(logging.INFO)
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    rows, size = read_rows(args.batches, args.warmup_steps + args.steps)
    model, vocab = build(args, size)
    batches = [joey_batch(*row, vocab) for row in rows]
    optimizer = build_optimizer({"optimizer": "adam", "learning_rate": 1e-4, "adam_betas": (0.9, 0.98)}, model.parameters())
    clip = build_gradient_clipper({"clip_grad_val": None, "clip_grad_norm": 1.0})
    run = [batches[index % len(batches)] for index in range(args.warmup_steps + args.steps)]
    losses = [step(model, optimizer, clip, batch) for batch in run[: args.warmup_steps]]
    start = time.perf_counter()
    losses += [step(model, optimizer, clip, batch) for batch in run[args.warmup_steps :]]
    seconds = time.perf_counter() - start
    tokens = sum(batch.ntokens for batch in run[args.warmup_steps :])
    report("joeynmt", args, model, seconds, tokens, losses)


if __name__ == "__main__":
    main()

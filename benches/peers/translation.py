"""Trains a translation model on exported batches with plain PyTorch and prints its speed as one line of JSON.

    python translation.py batches.safetensors --precision bfloat16 --threads 2 --steps 60
"""

import argparse
import contextlib
import time

import torch

from batches import read_batches
from measured import report
from mkldnn_linear import use_mkldnn_linear
from transformer import Config, Transformer


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("batches", help="safetensors file, see batches.py")
    parser.add_argument("--weights", help="model.safetensors of a Marian folder to start from")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--residual", choices=["float32", "bfloat16"], help="sums between layers (default: the precision)")
    parser.add_argument("--attention", choices=["fused", "products"], help="default: fused in float32, products in bfloat16")
    parser.add_argument("--steps", type=int, default=60, help="measured steps; batches repeat when there are fewer")
    parser.add_argument("--warmup-steps", type=int, default=10, help="steps before the clock starts")
    parser.add_argument("--compile", choices=["on", "off"], default="off")
    parser.add_argument("--mkldnn-linear", action="store_true", help="linear layers through oneDNN instead of MKL")
    parser.add_argument("--hidden-size", type=int, default=256)
    parser.add_argument("--layers", type=int, default=3, help="of the encoder, and of the decoder")
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--ffn-size", type=int, default=1024)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--label-smoothing", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--lr-warmup-steps", type=int, default=300, help="then the inverse square root")
    parser.add_argument("--max-gradient-norm", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Clock:
    """Seconds spent in each phase of the step."""

    def __init__(self):
        self.seconds = {}

    @contextlib.contextmanager
    def __call__(self, phase):
        start = time.perf_counter()
        yield
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start


class Trainer:
    def __init__(self, model, args):
        self.model, self.args, self.clock = model, args, Clock()
        self.loss = torch.compile(model.loss, dynamic=True) if args.compile == "on" else model.loss
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=args.lr, betas=(0.9, 0.98), eps=1e-9, weight_decay=0.0, fused=True
        )
        warm = args.lr_warmup_steps
        rate = lambda step: min((step + 1) / warm, (warm / (step + 1)) ** 0.5)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rate)

    def step(self, batch):
        bfloat16 = self.args.precision == "bfloat16"
        with self.clock("forward"), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = self.loss(batch, self.args.label_smoothing)
        with self.clock("backward"):
            loss.backward()
        with self.clock("clip"):
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.args.max_gradient_norm)
        with self.clock("optimizer"):
            self.optimizer.step()
            self.schedule.step()
            self.optimizer.zero_grad(set_to_none=True)
        return loss.item()


def build(args, vocab_size):
    config = Config(
        vocab_size=vocab_size,
        hidden_size=args.hidden_size,
        layers=args.layers,
        heads=args.heads,
        ffn_size=args.ffn_size,
        dropout=args.dropout,
        bfloat16_residual=(args.residual or args.precision) == "bfloat16",
        fused_attention=(args.attention or ("fused" if args.precision == "float32" else "products")) == "fused",
    )
    model = Transformer(config)
    if args.weights:
        from marian import load_marian

        load_marian(model, args.weights)
    if args.mkldnn_linear:
        use_mkldnn_linear(model)
    return model.train()


def main():
    args = options()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    batches, vocab_size = read_batches(args.batches, args.warmup_steps + args.steps)
    trainer = Trainer(build(args, vocab_size), args)
    run = [batches[step % len(batches)] for step in range(args.warmup_steps + args.steps)]
    losses = [trainer.step(batch) for batch in run[: args.warmup_steps]]
    trainer.clock.seconds.clear()
    start, cpu_start = time.perf_counter(), time.process_time()
    losses += [trainer.step(batch) for batch in run[args.warmup_steps :]]
    measured, seconds, cpu_seconds = run[args.warmup_steps :], time.perf_counter() - start, time.process_time() - cpu_start
    target = sum(batch.target_tokens for batch in measured)
    real = target + sum(batch.source_tokens for batch in measured)
    report(
        "pytorch",
        args,
        trainer.model,
        seconds,
        target,
        losses,
        mkldnnLinear=args.mkldnn_linear,
        compile=args.compile,
        cpuSeconds=cpu_seconds,
        paddingShare=1 - real / sum(batch.padded_tokens for batch in measured),
        phaseSeconds=trainer.clock.seconds,
    )


if __name__ == "__main__":
    main()

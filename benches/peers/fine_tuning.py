"""Fine-tunes a Hugging Face folder on given sequences, and prints its speed as one line of JSON.

    python fine_tuning.py loop FOLDER --precision bfloat16 --threads 2 --steps 12
    python fine_tuning.py trainer FOLDER

FOLDER/model is a …ForSequenceClassification, FOLDER/sequences.json a list of lists of ids; the label of the i-th is i mod 2. Both go through them in
order, padded to the longest of each batch. `loop` is a training loop as its users write it (fused AdamW, clipping 1, autocast); its batches are tensors
before the clock starts; with `--optimizer adamw-sage` AdamW-SAGE is written eagerly. `trainer` is transformers' Trainer with the same options.
"""

import argparse
import contextlib
import json
import re
import time
from pathlib import Path

import torch
from optimizers import EagerSage
from transformers import AutoModelForSequenceClassification, Trainer, TrainerCallback, TrainingArguments

LR, DECAY = 2e-5, 0.01


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["loop", "trainer"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--optimizer", choices=["adamw", "adamw-sage"], default="adamw", help="of the loop")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--device", default="cpu", help="cpu, or a GPU such as cuda:0")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--warmup-steps", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    return parser.parse_args()


def collate(samples):
    longest = max(len(sample["input_ids"]) for sample in samples)
    ids = torch.zeros((len(samples), longest), dtype=torch.long)
    mask = torch.zeros((len(samples), longest), dtype=torch.long)
    for row, sample in enumerate(samples):
        length = len(sample["input_ids"])
        ids[row, :length] = torch.tensor(sample["input_ids"])
        mask[row, :length] = 1
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([sample["labels"] for sample in samples])}


def loop(args, model, samples):
    model.to(args.device)
    # On a GPU a batch goes up from pinned memory within the step, as a DataLoader with pin_memory has it.
    pinned = args.device != "cpu"
    batches = [collate(samples[start : start + args.batch]) for start in range(0, len(samples), args.batch)]
    batches = [{name: tensor.pin_memory() if pinned else tensor for name, tensor in batch.items()} for batch in batches]
    if args.optimizer == "adamw-sage":
        optimizer = EagerSage(model.parameters(), lr=LR, decay=DECAY)
    else:
        optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=DECAY, fused=True)
    optimizer_seconds = []
    model.train()
    kind = torch.device(args.device).type
    cast = torch.autocast(kind, torch.bfloat16) if args.precision == "bfloat16" else contextlib.nullcontext()
    for step, batch in enumerate(batches[: args.warmup_steps + args.steps]):
        if step == args.warmup_steps:
            synchronize(args)
            start = time.perf_counter()
        batch = {name: tensor.to(args.device, non_blocking=True) for name, tensor in batch.items()}
        with cast:
            loss = model(**batch).loss
        loss.backward()
        gradients = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer_seconds.append(time.perf_counter() - gradients)
        model.zero_grad()
    synchronize(args)
    seconds = time.perf_counter() - start
    # On a GPU these would be seconds of launches.
    timed = {"optimizerSeconds": optimizer_seconds[args.warmup_steps :]} if kind == "cpu" else {}
    return timed | {"seconds": seconds, "loss": loss.item()}


def synchronize(args):
    """Waits until the device has done what it was given."""
    if args.device != "cpu":
        torch.cuda.synchronize(args.device)


class Clock(TrainerCallback):
    """Seconds of the steps after the warm-up."""

    def __init__(self, options):
        self.options = options
        self.started = self.seconds = 0.0

    def on_train_begin(self, args, state, control, **_):
        self.started = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.options.warmup_steps:
            synchronize(self.options)
            self.started = time.perf_counter()
        if state.global_step == self.options.warmup_steps + self.options.steps:
            synchronize(self.options)
            self.seconds = time.perf_counter() - self.started


class InOrder(Trainer):
    def _get_train_sampler(self, *_):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def trainer(args, model, samples):
    clock = Clock(args)
    arguments = TrainingArguments(
        output_dir=str(args.folder / "trainer"),
        per_device_train_batch_size=args.batch,
        max_steps=args.warmup_steps + args.steps,
        learning_rate=LR,
        weight_decay=DECAY,
        optim="adamw_torch_fused",
        bf16=args.precision == "bfloat16",
        use_cpu=args.device == "cpu",
        save_strategy="no",
        report_to=[],
        logging_steps=args.warmup_steps + args.steps,
        disable_tqdm=True,
    )
    result = InOrder(model, arguments, train_dataset=samples, data_collator=collate, callbacks=[clock]).train()
    return {"seconds": clock.seconds, "loss": result.training_loss}


def peak_memory_bytes():
    """Of this process's own memory; what getrusage calls the peak begins with that of the process that started it."""
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


def main():
    args = options()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(args.folder / "model")
    rows = json.loads((args.folder / "sequences.json").read_text())
    samples = [{"input_ids": row, "labels": index % 2} for index, row in enumerate(rows)]
    result = (loop if args.mode == "loop" else trainer)(args, model, samples)
    print(json.dumps(result | {"peakMemoryBytes": peak_memory_bytes()}))


if __name__ == "__main__":
    main()

"""The phases of a PyTorch script from its start to its first step, as one line of JSON in milliseconds: `node benches/start.mjs --python …` runs it.

    python start.py FOLDER --threads 2

FOLDER/model is a …ForSequenceClassification. What takes the system to start the process and Python itself is counted, as on the other side.
"""

import json
import os
import time
from pathlib import Path

BATCH, LENGTH = 32, 20


def since_start():
    """Milliseconds since the system made this process, whose clock ticks a hundred times a second."""
    started = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    return 1000 * (time.clock_gettime(time.CLOCK_BOOTTIME) - started)


class Phases:
    def __init__(self):
        self.last = since_start()
        self.milliseconds = {"process": self.last}

    def end(self, phase):
        now = since_start()
        self.milliseconds[phase], self.last = now - self.last, now


def main(phases):
    import argparse

    import torch
    from transformers import AutoModelForSequenceClassification

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    phases.end("import")
    model = AutoModelForSequenceClassification.from_pretrained(args.folder / "model")
    phases.end("model")
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, fused=True)
    model.train()
    phases.end("session")
    batch = {"input_ids": torch.randint(1000, 30_000, (BATCH, LENGTH)), "labels": torch.arange(BATCH) % 2}
    phases.end("batch")
    phases.milliseconds["total"] = phases.last
    for step in ("first step", "second step"):
        model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        phases.end(step)
    print(json.dumps(phases.milliseconds))


if __name__ == "__main__":
    main(Phases())

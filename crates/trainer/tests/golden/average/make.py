"""Makes three model folders and their mean as NumPy computes it: in float64, rounded to float32 once.

    python make.py      # numpy
"""

import json
import struct
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SHAPES = {"hidden.0.weight": (40, 2), "hidden.0.bias": (40,), "output.weight": (2, 40), "output.bias": (2,)}


def write(folder: Path, tensors: dict[str, np.ndarray]) -> None:
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    folder.mkdir(exist_ok=True)
    data = b"".join(values.tobytes() for values in tensors.values())
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


random = np.random.default_rng(1)
folders = ["one", "two", "three"]
# Magnitudes from subnormal to huge: where one of float32's sums would round otherwise.
models = [
    {name: (random.standard_normal(shape) * 10.0 ** random.integers(-42, 30, shape)).astype(np.float32) for name, shape in SHAPES.items()}
    for _ in folders
]
for model in models:
    model["output.bias"] = np.array([-0.0, 1.0], dtype=np.float32)
for folder, model in zip(folders, models):
    write(HERE / folder, model)
mean = {name: np.mean([model[name].astype(np.float64) for model in models], axis=0).astype(np.float32) for name in SHAPES}
write(HERE / "mean", mean)

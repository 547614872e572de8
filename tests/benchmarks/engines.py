"""Torch and ONNX Runtime over the evaluation set of a repository in turn, one thread each: JSON of what each costs.

python tests/benchmarks/engines.py ROUNDS, in a repository after its export
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch

from runhive.formats.manifest import read_manifest, split_of
from runhive.formats.model_card import ModelCard
from runhive.preprocess import Pixels, input_batches
from runhive.scoring.package import read_package
from runhive.scoring.session import answers, open_session
from runhive.vision.allocator import keep_freed_memory
from runhive.vision.predict import load_classifier

Engine = Callable[[Pixels], np.ndarray]
RUNS = {1: 20, 32: 2}  # of each batch size in a round
FILES = {"fp32": "models/model.onnx", "fp16": "models/variants/fp16.onnx", "int8": "models/variants/int8.onnx"}


def torch_engine(channels_last: bool) -> Engine:
    card = ModelCard.read(Path("models/model.json"))
    network = load_classifier(card, Path("models/model.safetensors"))
    if channels_last:
        network.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(batch: Pixels) -> np.ndarray:
        logits: np.ndarray = network(torch.from_numpy(batch)).numpy()
        return logits

    return run


def onnx_engine(path: str) -> Engine:
    session = open_session(read_package(Path(path)), path, threads=1)
    return lambda batch: answers(session, batch)[0]


def seconds(engine: Engine, batch: Pixels, runs: int) -> float:
    """Processor seconds of one image."""
    began = time.process_time()
    for _ in range(runs):
        engine(batch)
    return (time.process_time() - began) / (runs * len(batch))


def main(rounds: int) -> None:
    keep_freed_memory()
    torch.set_num_threads(1)
    card = ModelCard.read(Path("models/model.json"))
    files = [Path("data/images", image.path) for image in split_of(read_manifest(Path("data/manifest.csv")), "val")]
    inputs = np.concatenate(list(input_batches(files, card.preprocess, 32)))
    engines = {"torch eager": torch_engine(False), "torch eager, channels-last": torch_engine(True)}
    engines |= {f"ONNX Runtime {name}": onnx_engine(path) for name, path in FILES.items() if Path(path).exists()}
    found = {name: np.concatenate([engine(part) for part in np.split(inputs, range(8, len(inputs), 8))])
             for name, engine in engines.items()}  # fmt: skip
    expected = found["torch eager"].argmax(axis=1)
    costs: dict[str, dict[int, list[float]]] = {name: {size: [] for size in RUNS} for name in engines}
    for _ in range(rounds):
        for size, runs in RUNS.items():
            for name, engine in engines.items():
                costs[name][size].append(seconds(engine, inputs[:size], runs))
    told = {
        name: {
            "milliseconds": {size: 1000 * median(costs[name][size]) for size in RUNS},
            "ratios": {
                size: sorted(a / b for a, b in zip(costs["torch eager"][size], costs[name][size], strict=True))
                for size in RUNS
            },
            "changed": int((found[name].argmax(axis=1) != expected).sum()),
        }
        for name in engines
    }
    print(json.dumps({"images": len(inputs), "engines": told}))


if __name__ == "__main__":
    main(int(sys.argv[1]))

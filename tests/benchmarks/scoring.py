"""`predict` beside its parts, in a repository after its export: JSON of processor and wall seconds.

python tests/benchmarks/scoring.py ROUNDS MODEL FOLDER
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from runhive.data.decoding import quiet_pillow
from runhive.decode import load_rgb
from runhive.preprocess import ahead, to_input
from runhive.scoring.images import find_images
from runhive.scoring.model import Model
from runhive.scoring.rows import predict_rows

BATCH = 8


def cost(work: Callable[[], object]) -> tuple[float, float]:
    """Processor and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def main(rounds: int, path: str, folder: str) -> None:
    model = Model.load(path)
    items = list(find_images([folder]))
    files = [item.file for item in items if item.file and item.file.suffix != ".gif"]

    def decode() -> list[np.ndarray]:
        return list(ahead(lambda file: to_input(load_rgb(file), model.metadata.preprocess), files, 4 * BATCH))

    with quiet_pillow():
        inputs = decode()
        parts = [np.stack(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
        told: dict[str, list[tuple[float, float]]] = {"decode": [], "answer": [], "predict": []}
        for _ in range(rounds):
            told["decode"].append(cost(decode))
            told["answer"].append(cost(lambda: [model.answers(part) for part in parts]))
            told["predict"].append(cost(lambda: list(predict_rows(model, iter(items), BATCH, 1))))
    print(json.dumps({"images": len(files), **told}))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])

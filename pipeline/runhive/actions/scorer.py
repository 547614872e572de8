"""`python -m runhive.actions.scorer`: run an ONNX file of a stranger over images, in a process that knows no secret.

It is given one line of JSON on stdin, and writes arrays and `scored.json` into a folder.
"""

import json
import os
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from runhive.errors import RunhiveError
from runhive.gate.images import answers_of, machine, milliseconds_of, read_set
from runhive.scoring.model import Model
from runhive.scoring.package import read_package

MEMORY_BYTES = 12_000_000_000
MEMORY_SHARE = 0.75  # of the machine's: beyond it the kernel would choose whom to kill
MOST_CLASSES = 10_000  # a confusion matrix has the square of them
FILE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Task:
    """`sets` are the named evaluation sets below `root`, each with its frozen digest or None."""

    model: str
    title: str
    root: str
    sets: dict[str, str | None]
    into: str


def score(task: Task) -> None:
    """Write what the model says of each set, and what the file says of itself."""
    package = read_package(Path(task.model))
    model = Model(package, task.title, task.title)
    if len(model.classes) > MOST_CLASSES:
        raise RunhiveError(f"it has {len(model.classes):,} classes, {MOST_CLASSES:,} at most")
    sets = [read_set(Path(task.root), name, frozen) for name, frozen in task.sets.items()]
    for number, images in enumerate(sets):
        found = answers_of(model, images)
        np.save(Path(task.into, f"logits-{number}.npy"), found.logits)
        np.save(Path(task.into, f"probabilities-{number}.npy"), found.answers.probabilities)
    told = {
        "classes": model.classes,
        "weights_sha256": package.metadata.weights_sha256,
        "onnx_bytes": len(package.content),
        "milliseconds": milliseconds_of(model, sets[0]),
        "machine": dict(machine()),
    }
    Path(task.into, "scored.json").write_text(json.dumps(told))


def run(task: Task) -> str:
    """The task as the line that this process reads."""
    return json.dumps(asdict(task))


def main() -> None:
    """Read the task, and end with one line where the file is not what it has to be."""
    memory = min(MEMORY_BYTES, int(MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        score(Task(**json.loads(sys.stdin.readline())))
    except RunhiveError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

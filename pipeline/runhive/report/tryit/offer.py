"""What the page of a run offers to try: its model, and images with Python's answers."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.mistakes import one_line
from runhive.report.answers import Answers, answers_of
from runhive.report.keep import link
from runhive.report.shards import write_shard
from runhive.report.summary import Summary
from runhive.report.text import visible
from runhive.report.tryit.onnx_file import Onnx
from runhive.report.tryit.runtime import RUNTIME, WASM, model_path, packed_model
from runhive.report.tryit.samples import baked, samples
from runhive.report.tryit.shelf import ABSENT, Shelf
from runhive.tracking.ledger.ledger import Ledger

KEPT = Path(".runhive/try-it")
VERSION = 1  # of what is kept there
SPARED = 30 * 86400  # seconds
TOLERANCE = 1e-4  # of the logits' spread, as `export.tolerance` asks of ONNX against PyTorch


@dataclass(frozen=True)
class TryIt:
    """Either `why_not`, with the *command* that fetches the file, or the addresses in the site of all that is loaded.

    `recorded` is how far Python's logits are from those that the run recorded; None where no image is at hand.
    """

    onnx: Onnx
    why_not: str = ""
    command: str = ""
    model: str = ""
    samples: str = ""
    of: str = ""
    loads: int = 0
    recorded: float | None = None
    runtime: str = RUNTIME
    wasm: str = WASM


def offers(tried: Mapping[str, Summary], shelf: Shelf, ledger: Ledger, site: Path) -> dict[str, TryIt]:
    """What is offered of each run that left an ONNX file, by its key; what is loaded is written below *site*."""
    found = {key: _offer(one, one.onnx, shelf, ledger, site) for key, one in tried.items() if one.onnx}
    _sweep(root_of(ledger) / KEPT)
    return found


def _offer(summary: Summary, onnx: Onnx, shelf: Shelf, ledger: Ledger, site: Path) -> TryIt:
    file, root = shelf.files.get(onnx.sha256), root_of(ledger)
    if file is None:
        why_not = shelf.why_not.get(onnx.sha256, shelf.otherwise)
        command = f"runhive runs download {summary.run_id} {onnx.path}" if why_not == ABSENT else ""
        return TryIt(onnx, why_not, command)
    answers = answers_of(summary.run_id, ledger)
    if answers is None:
        return TryIt(onnx, "the ledger has no answers of it to compare with")
    try:
        offered = _offered(onnx, file, answers, ledger, root)
    except RunhiveError as error:
        return TryIt(onnx, one_line(str(error)))
    if not offered["samples"]:
        return TryIt(onnx, "there is no picture of its evaluation set, neither in data/images nor in the ledger")
    model = site / model_path(onnx.sha256)
    if not model.exists():
        link(_kept(root / KEPT / f"{onnx.sha256}.js", lambda: packed_model(onnx.sha256, file.read_bytes())), model)
    recorded = [one["recorded"] for one in offered["samples"] if one["recorded"] is not None]
    name = f"try-it-{onnx.sha256[:16]}"
    shard = write_shard(site, name, offered)
    loads = sum((site / path).stat().st_size for path in (shard, model_path(onnx.sha256), RUNTIME, WASM))
    return TryIt(
        onnx, model=model_path(onnx.sha256), samples=shard, of=name, loads=loads, recorded=max(recorded, default=None)
    )


def root_of(ledger: Ledger) -> Path:
    """The repository that the ledger lies in."""
    return Path(ledger.repository.workdir or ledger.repository.path)


def _offered(onnx: Onnx, file: Path, answers: Answers, ledger: Ledger, root: Path) -> dict[str, Any]:
    """What the page's script needs, baked once for a model and its answers."""
    key = hashlib.sha256(f"{VERSION} {onnx.sha256} {answers.digest}".encode()).hexdigest()
    path = _kept(root / KEPT / f"{key}.json", lambda: _bake(onnx, file, answers, ledger, root))
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _bake(onnx: Onnx, file: Path, answers: Answers, ledger: Ledger, root: Path) -> bytes:
    from runhive.scoring.model import Model  # with ONNX Runtime, which most builds need not load
    from runhive.scoring.package import parse_package
    from runhive.scoring.session import REFUSALS

    model = Model(parse_package(file.read_bytes(), onnx.path), onnx.path)
    if model.classes != answers.predictions.classes:
        raise RunhiveError("its classes are others than those of the run's answers")
    found = samples(answers, model, ledger, root)
    try:
        taken = baked(found, answers, model) if found else []
    except REFUSALS as error:
        raise RunhiveError(f"ONNX Runtime cannot run it ({one_line(str(error))[:100]})") from None
    spread = float(answers.predictions.logits.var(axis=0).mean() ** 0.5)
    content = {
        "classes": [visible(name, 60) for name in model.classes],
        "size": model.metadata.preprocess.image_size,
        "side": model.metadata.preprocess.resize_size,
        "tolerance": TOLERANCE * max(spread, 1e-3),
        "samples": taken,
    }
    return json.dumps(content).encode()


def _kept(path: Path, make: Callable[[], bytes]) -> Path:
    """What *make* makes, kept at *path* from one build to the next."""
    if path.exists():
        os.utime(path)
    else:
        write_atomic(path, make())
    return path


def _sweep(folder: Path) -> None:
    """Drop what no build has used for long."""
    for file in folder.glob("*.js*"):
        if time.time() - file.stat().st_mtime > SPARED:
            file.unlink()

"""The Python API: a run of one's own code, with numbers by step, images, tables, confusion matrices and files."""

import csv
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat

from runhive import metrics
from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.history import read_history
from runhive.formats.train_record import TrainRecord
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event, Run, new_run_id
from runhive.tracking.life import liveness
from runhive.tracking.life.filing import file_content, file_path, post_files
from runhive.tracking.life.intake import take_up
from runhive.tracking.life.life import ROOT, RUN_ID, described, exit_on_signals, lived
from runhive.tracking.life.machine import describe_machine
from runhive.tracking.life.origin import queued_event
from runhive.tracking.life.outbox import Outbox, outbox
from runhive.tracking.life.scalars import ScalarLog
from runhive.tracking.repository import main_root, printable
from runhive.tracking.secrets import masked_arguments

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from PIL.Image import Image

    Picture = str | Path | Image | np.ndarray[Any, Any]


WEIGHTS = Path("models/model.safetensors")
HISTORY = Path("models/history.csv")
TRAIN_RECORD = Path("models/train.json")


class ActiveRun:
    """A run that goes on: what is logged here survives a kill, and is in the ledger when the run ends."""

    def __init__(self, run_id: str, root: Path) -> None:
        self.run_id = run_id
        self._root = root
        self._box: Outbox = outbox(root, run_id)
        self._scalars = ScalarLog(self._box.scalars)
        self._began = time.monotonic()

    def log(
        self, values: Mapping[str, SupportsFloat] | None = None, /, *, step: int | None = None, **scalars: SupportsFloat
    ) -> None:
        """Log numbers: of a *step*, or final ones without; the last of each name is the run's metric.

        Names that are no Python names, such as `val.accuracy`, go into *values*.
        """
        named = {name: _number(name, value) for name, value in {**(values or {}), **scalars}.items()}
        self._scalars.write(named, step, time.monotonic() - self._began)

    def image(self, name: str, image: "Picture") -> None:
        """Keep an image: a file, a PIL image, or an array (height, width) or (height, width, 3), floats in [0, 1]."""
        self._file(name, _png(name, image), ".png", "image")

    def table(self, name: str, rows: "pd.DataFrame | Sequence[Mapping[str, Any]]") -> None:
        """Keep a table: a DataFrame, or rows as mappings with the same keys."""
        self._file(name, _csv(name, rows), ".csv", "table")

    def confusion_matrix(
        self, labels: Sequence[Any], predicted: Sequence[Any], classes: Sequence[Any], name: str = "confusion"
    ) -> None:
        """Keep the counts of each actual class (rows) and predicted one (columns), both given as *classes* has them."""
        import numpy as np

        index = {label: position for position, label in enumerate(classes)}
        try:
            actual, found = (np.array([index[one] for one in column], dtype=np.int64) for column in (labels, predicted))
        except KeyError as error:
            raise RunhiveError(f"{name}: {error.args[0]!r} is not in classes: name every class there") from None
        counts = metrics.confusion_matrix(actual, found, len(classes)).tolist()
        content = json.dumps({"classes": [str(label) for label in classes], "confusion": counts}, indent=1)
        self._file(name, content.encode(), ".json", "confusion")

    def file(self, path: str | Path, name: str | None = None) -> None:
        """Keep a copy of the file *path*, under its own path or *name*."""
        told = file_path(self._root, self._box, Path(path))
        post_files(self._box, {printable(name or Path(path).as_posix()): told})

    def hand_on(self, weights: str | Path = WEIGHTS, images_per_second: float = 0.0) -> None:
        """Write `models/train.json`, so that what the later stages make of *weights* counts to this run.

        `models/history.csv` has to be there: it says how many epochs were trained.
        """
        ledger = open_ledger(self._root)
        known = ledger.run(self.run_id)
        started = next(event for event in known.events if event.type == "started")
        TrainRecord(
            run_id=self.run_id,
            attempt=known.attempt,
            input_digest=known.input_digest,
            started_at=started.time,
            started=started.data,
            weights_sha256=sha256_of(Path(weights)),
            epochs=len(read_history(HISTORY)),
            seconds=time.monotonic() - self._began,
            images_per_second=images_per_second,
        ).write(TRAIN_RECORD)

    def _file(self, name: str, content: bytes, suffix: str, kind: str) -> None:
        post_files(self._box, {name: file_content(self._root, self._box, name, content, suffix, kind)})


@contextmanager
def start(
    *,
    experiment: str = "",
    name: str = "",
    params: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    parent: str | None = None,
) -> Iterator[ActiveRun]:
    """Open a run for the block, or join the one that this process belongs to, under `runhive run` or in train.

    An exception ends a run of its own as failed, Ctrl-C and SIGTERM as canceled; a joined one goes on.
    """
    if run_id := os.environ.get(RUN_ID):
        active = ActiveRun(run_id, Path(os.environ[ROOT]))
        _describe_joined(active, experiment, name, dict(params or {}), tags)
        with closing(active._scalars):
            yield active
        return
    root = main_root()
    ledger = open_ledger(root)
    liveness.close_lost(ledger, root)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        exit_on_signals()
    own: dict[str, Any] = {"experiment": experiment or Path(sys.argv[0]).stem, "name": name, "tags": list(tags)}
    own |= {"params": dict(params or {}), "command": masked_arguments(sys.argv)} | (
        {"parent": parent} if parent else {}
    )
    here = Path.cwd()
    started, files = described({**own, "environment": describe_machine()}, here)
    run_id = new_run_id()
    print(f"run {run_id}", file=sys.stderr)
    opening = [event for event in (Event("started", started), queued_event(1)) if event]
    active = ActiveRun(run_id, root)
    try:
        with lived(ledger, root, run_id, 1, "run", opening, files), closing(active._scalars):
            yield active
        take_up(ledger, root, run_id, [Event("finished", {"state": "completed", "attempt": 1})])
    finally:
        liveness.leave(ledger, root)


def history() -> "pd.DataFrame":
    """Return one row per run of this repository, newest first, with flat `params.*` and `metrics.*`."""
    return liveness.settled_ledger().table()


def run(run_id: str) -> Run:
    """Return the run of this id, or of the one id that begins with it."""
    return liveness.settled_ledger().run(run_id)


def read_file(run_id: str, path: str) -> bytes:
    """Return a file that the ledger holds of the run, by its path or by its name there.

    Raises RunhiveError where it holds none: `runhive runs download` finds what DVC keeps.
    """
    ledger = open_ledger()
    found = ledger.run(run_id)
    name = found.files.get(path, {}).get("ledger") or path
    content = ledger.file(found.run_id, name)
    if content is None:
        raise RunhiveError(f"the ledger holds no {path!r} of run {found.run_id}: try `runhive runs download`")
    return content


def _describe_joined(
    active: ActiveRun, experiment: str, name: str, params: dict[str, Any], tags: Sequence[str]
) -> None:
    events = {
        "configured": {"experiment": experiment, "params": params} if experiment or params else None,
        "named": {"name": name} if name else None,
        "tagged": {"add": list(tags)} if tags else None,
    }
    for type, data in events.items():
        if data:
            active._box.post(Event(type, data))


def _number(name: str, value: SupportsFloat) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise RunhiveError(f"{name}: {value!r} is no number: log a number, or keep it with run.table") from error


def _png(name: str, image: "Picture") -> bytes:
    import numpy as np
    import PIL.Image

    from runhive.decode import load_rgb

    try:
        if isinstance(image, np.ndarray):
            pixels = np.clip(image * 255, 0, 255).astype(np.uint8) if image.dtype.kind == "f" else image
            picture = PIL.Image.fromarray(pixels)
        else:
            picture = load_rgb(Path(image)) if isinstance(image, str | Path) else image
        content = io.BytesIO()
        picture.convert("RGB" if picture.mode not in ("L", "RGBA") else picture.mode).save(content, "PNG")
    except (OSError, TypeError, ValueError) as error:
        raise RunhiveError(f"{name}: this is no image ({error}): give a file, a PIL image or an array") from error
    return content.getvalue()


def _csv(name: str, rows: "pd.DataFrame | Sequence[Mapping[str, Any]]") -> bytes:
    if not isinstance(rows, Sequence):
        return rows.to_csv(index=False).encode()
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    try:
        writer.writerows(rows)
    except ValueError as error:
        raise RunhiveError(f"{name}: the rows have different keys ({error}): give each the same") from error
    return text.getvalue().encode()

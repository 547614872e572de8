"""Which file a person means by MODEL: an ONNX file, a run of the ledger, a version or an alias of the registry."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.files import sha256_of

ONNX = {"fp32": "models/model.onnx", "fp16": "models/variants/fp16.onnx", "int8": "models/variants/int8.onnx"}
REGISTERED = re.compile(r"[a-z0-9][a-z0-9-]*(@(v?\d[\w.+-]*|latest)|#[\w-]+)")
FETCHED = Path(".runhive/models")


@dataclass(frozen=True)
class Located:
    """The file of a model, and what the registry or the ledger calls it: a version, a run's id, or nothing."""

    path: Path
    version: str = ""


def locate(word: str | Path, variant: str = "fp32") -> Located:
    """Find the file that *word* names. Raises RunhiveError where there is none, or no such *variant* of it."""
    text = str(word)
    if isinstance(word, Path) or text.endswith(".onnx") or os.sep in text or Path(text).is_file():
        return Located(Path(word))
    if REGISTERED.fullmatch(text):
        return _of_version(text, variant)
    return _of_run(text, variant)


def _of_version(word: str, variant: str) -> Located:
    """The ONNX file of a version, out of DVC's cache or from its remote."""
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.find import find_version
    from runhive.tracking.registry.objects import copy_object
    from runhive.tracking.repository import main_root
    from runhive.tracking.storage.artifacts import cached_path

    root = main_root()
    found = find_version(read_catalog(open_ledger(root)), word)
    told = found.record["files"].get(ONNX[variant])
    if told is None:
        there = ", ".join(name for name, path in ONNX.items() if path in found.record["files"])
        raise RunhiveError(f"{found.title} has no {variant} model: it has {there}")
    cached = cached_path(root, told["md5"])
    if cached.exists() and sha256_of(cached) == told["sha256"]:
        return Located(cached, found.title)
    kept = root / FETCHED / found.title / ONNX[variant]
    if not kept.exists() or sha256_of(kept) != told["sha256"]:
        copy_object(root, ONNX[variant], told, kept)
    return Located(kept, found.title)


def _of_run(word: str, variant: str) -> Located:
    """The ONNX file that a run left, out of DVC's cache or from its remote."""
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.naming import find
    from runhive.tracking.repository import main_root
    from runhive.tracking.storage.artifacts import cached_path

    root = main_root()
    ledger = open_ledger(root)
    run = find(ledger, word)
    told = run.files.get(ONNX[variant])
    if told is None:
        there = [name for name, path in ONNX.items() if path in run.files]
        raise RunhiveError(
            f"run {run.run_id} has no {variant} model: "
            + (f"it has {', '.join(there)}" if there else "it did not come to its export")
        )
    cached = cached_path(root, str(told["md5"]))
    if cached.exists() and sha256_of(cached) == told["sha256"]:
        return Located(cached, run.run_id)
    kept = root / FETCHED / run.run_id / ONNX[variant]
    if not kept.exists() or sha256_of(kept) != told["sha256"]:
        from runhive.tracking.storage.download import Source, fetch

        fetch(Source(ledger, run, root), ONNX[variant], root / FETCHED / run.run_id, force=True)
    return Located(kept, run.run_id)

"""Which file a person means by MODEL: an ONNX file, a version or an alias of the registry, a run of the ledger."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runhive.data.names import shown
from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.mistakes import one_line

if TYPE_CHECKING:
    from runhive.tracking.ledger.ledger import Ledger

ONNX = {"fp32": "models/model.onnx", "fp16": "models/variants/fp16.onnx", "int8": "models/variants/int8.onnx"}
REGISTERED = re.compile(r"[a-z0-9][a-z0-9-]*(@(v?\d[\w.+-]*|latest)|#[\w-]+)")
FETCHED = Path(".runhive/models")
PROVENANCE = "provenance.json"  # beside the files of a version that was downloaded


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
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.repository import main_root

    try:
        root = main_root()
    except RunhiveError as error:
        raise RunhiveError(
            f"there is no file {shown(text)}, and runs and versions are in a repository: {error}"
        ) from None
    ledger = open_ledger(root)
    return (_registered if REGISTERED.fullmatch(text) else _of_run)(root, ledger, text, variant)


def downloaded_version(path: Path, sha256: str) -> str:
    """The version that the file at *path* was downloaded as, if these bytes are its; empty where that is not told."""
    for folder in path.resolve().parents[:2]:
        try:
            told = json.loads((folder / PROVENANCE).read_bytes())
            if sha256 in {file["sha256"] for file in told["files"].values()}:
                return one_line(str(told["version"]))[:120]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, or not one of ours
            continue
    return ""


def _registered(root: Path, ledger: "Ledger", word: str, variant: str) -> Located:
    """The file of a version, also of the one that an alias stands for."""
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.find import find_version

    found = find_version(read_catalog(ledger), word)
    path = _fetched(root, found.record["files"], ONNX[variant], f"{found.title} has no {variant} model")
    return Located(path, found.title)


def _of_run(root: Path, ledger: "Ledger", word: str, variant: str) -> Located:
    """The file that a run left."""
    from runhive.tracking.naming import find

    run = find(ledger, word)
    return Located(_fetched(root, run.files, ONNX[variant], f"run {run.run_id} has no {variant} model"), run.run_id)


def _fetched(root: Path, files: Mapping[str, Mapping[str, Any]], path: str, absent: str) -> Path:
    """The file in DVC's cache, or a copy out of its remote, that has the SHA-256 which was written down."""
    from runhive.tracking.registry.objects import copy_object
    from runhive.tracking.storage.artifacts import cached_path, own_path

    if path not in files:
        there = ", ".join(name for name, one in ONNX.items() if one in files)
        raise RunhiveError(f"{absent}: it has {there}" if there else f"{absent}, nor any other: it was not exported")
    told = files[path]
    kept = root / FETCHED / f"{told['sha256']}.onnx"
    for place in (cached_path(root, told["md5"]), own_path(root, told["md5"]), kept):
        if place.is_file() and sha256_of(place) == told["sha256"]:
            return place
    copy_object(root, path, told, kept)
    return kept

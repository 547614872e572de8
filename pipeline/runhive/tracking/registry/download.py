"""A version's files to a folder: weights, ONNX, model.json, and what it is as provenance.json."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.files import sha256_of, write_atomic
from runhive.mistakes import one_line
from runhive.tracking.registry.catalog import Version
from runhive.tracking.registry.objects import copy_object
from runhive.tracking.storage.outputs import checked_path

PROVENANCE = "provenance.json"
CARD = "model-card.md"


@dataclass
class Downloaded:
    """Names that were written, and those that were there already with the same bytes."""

    written: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)


def download(root: Path, version: Version, to: Path, card: str, force: bool, title: str) -> Downloaded:
    """Write the files of *version* into *to*, each checked by its SHA-256. What is there and the same stays.

    Raises RunhiveError where something else is in the way and *force* is not set, and where bytes are not to be had.
    """
    record, done = version.record, Downloaded()
    targets = {_place(path): (path, told) for path, told in sorted(record["files"].items())}
    texts = {PROVENANCE: _provenance(version, title), CARD: card.encode()}
    if not force:
        _refuse_in_the_way(to, {name: told["sha256"] for name, (_, told) in targets.items()})
    for name, (path, told) in targets.items():
        target = to / name
        if target.is_file() and sha256_of(target) == told["sha256"]:
            done.there.append(name)
            continue
        copy_object(root, path, told, target)
        done.written.append(name)
    for name, content in texts.items():
        write_atomic(to / name, content)
        done.written.append(name)
    return done


def _place(path: str) -> str:
    """The name in the folder: without `models/`, which the folder itself stands for."""
    return str(checked_path(path.removeprefix("models/")))


def _refuse_in_the_way(to: Path, sha256: dict[str, str]) -> None:
    if to.exists() and not to.is_dir():
        raise RunhiveError(f"{one_line(str(to))} is a file: name a folder")
    for name, digest in sha256.items():
        target = to / name
        if target.exists() and not (target.is_file() and sha256_of(target) == digest):
            raise RunhiveError(
                f"{one_line(str(target))} is there with other content: name another folder, or use --force"
            )


def _provenance(version: Version, title: str) -> bytes:
    """All that the ledger keeps of the version, and how it was asked for, as JSON."""
    assert version.event is not None
    content = {
        "schema_version": 1,
        "asked_for": title,
        "version": version.title,
        "run_id": version.tag.run_id,
        "registered_at": version.event.time,
        "tag_record": version.tag.record,
        **version.record,
    }
    content["version"] = version.title
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()

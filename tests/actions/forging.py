"""Bundles as an attacker would make them: changed, then listed with the right sizes and digests."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runhive.files import sha256_of
from runhive.tracking.ledger.run import Event, run_folder


def relist(bundle: Path, **changed: Any) -> None:
    """Write bundle.json anew for what is there now."""
    manifest = bundle / "bundle.json"
    told = json.loads(manifest.read_text())
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path != manifest)
    told["files"] = [
        {"path": path.relative_to(bundle).as_posix(), "bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in files
    ]
    manifest.write_text(json.dumps(told | changed))


def events(bundle: Path, run_id: str) -> list[tuple[Path, Event]]:
    """The events of a run of the bundle, in order."""
    paths = sorted((bundle / run_folder(run_id) / "events").iterdir())
    return [(path, Event.from_json(path.read_bytes())) for path in paths]


def put(bundle: Path, run_id: str, event: Event) -> None:
    """Put an event in, named by its content as one of ours is."""
    (bundle / run_folder(run_id) / "events" / event.file_name()).write_bytes(event.to_json())


def change(bundle: Path, run_id: str, type: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change what the events of *type* say."""
    for path, event in events(bundle, run_id):
        if event.type == type:
            path.unlink()
            edit(event.data)
            put(bundle, run_id, event)
    relist(bundle)


def rename_run(bundle: Path, run_id: str, other: str) -> None:
    """Give the run another id."""
    (bundle / run_folder(other)).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(bundle / run_folder(run_id), bundle / run_folder(other))
    for folder in sorted((bundle / "runs").rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    relist(bundle, run=other, runs=[other])

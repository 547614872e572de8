"""Bundles as an attacker would make them: changed, then listed with the right sizes and digests."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pygit2

from runhive.actions.packing import contents_of
from runhive.files import sha256_of
from runhive.tracking.ledger.entry import read_events
from runhive.tracking.ledger.kept import in_force
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import commit_at, content_of, grow, subtree, tree_of
from runhive.tracking.ledger.run import Event, run_folder

Events = list[Event]


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


def rewrite(
    bundle: Path, run_id: str, edit: Callable[[Events], Events] = list, files: Mapping[str, bytes] | None = None,
    other_id: str | None = None,
) -> None:  # fmt: skip
    """Write the run's folder anew, as a ledger would: with events as *edit* makes them, and *files* put in."""
    with TemporaryDirectory() as temporary:
        scratch = pygit2.init_repository(temporary)
        paths = [path for path in (bundle / "runs").rglob("*") if path.is_file()]
        blobs = {path.relative_to(bundle).as_posix(): scratch.create_blob(path.read_bytes()) for path in paths}
        folder = subtree(scratch[grow(scratch, None, blobs)].peel(pygit2.Tree), run_folder(run_id))
        assert folder
        kept = {name: content_of(scratch, one.id) for name, one in in_force(folder).items()}
        events = edit(sorted(read_events(folder, run_folder(run_id)), key=Event.sort_key))
        shutil.rmtree(bundle / "runs")
        wanted = other_id or run_id
        Ledger(scratch).append(wanted, events, kept | dict(files or {}))
        made = subtree(tree_of(commit_at(scratch)), run_folder(wanted))
        for path, content in contents_of(made, run_folder(wanted)):
            (bundle / path).parent.mkdir(parents=True, exist_ok=True)
            (bundle / path).write_bytes(content)
    relist(bundle, **({"run": other_id, "runs": [other_id]} if other_id else {}))


def put(bundle: Path, run_id: str, event: Event) -> None:
    """Put an event in after all others."""
    rewrite(bundle, run_id, lambda events: [*events, event])


def change(bundle: Path, run_id: str, type: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change what the events of *type* say."""

    def changed(events: Events) -> Events:
        for event in events:
            if event.type == type:
                edit(event.data)
        return events

    rewrite(bundle, run_id, changed)

"""Is a run clean: its code committed, and HEAD's dvc.lock holding what it made? Told from bytes alone."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pygit2
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.mistakes import one_line
from runhive.tracking.ledger.run import Run

LOCK = "dvc.lock"
STAGES = ("train", "evaluate", "export")  # those whose code decides the model and its numbers
MOST_NAMED = 3


def faults(repository: pygit2.Repository, commit: str, run: Run) -> list[str]:
    """Why *run* is not clean at *commit*, a line each; none where it is."""
    tree = repository[commit].peel(pygit2.Tree)
    stages = stages_of(tree)
    if stages is None:
        return [f"{LOCK} is not in commit {commit[:8]}, or cannot be read: run `dvc repro` and commit it"]
    found = []
    outs = {str(out["path"]): str(out.get("md5")) for stage in stages.values() for out in stage.get("outs", ())}
    models = {path: str(file["md5"]) for path, file in run.files.items() if file.get("kind") == "model"}
    for path, md5 in {**models, **_folders(models, outs)}.items():
        if (path in outs and outs[path] != md5) or (path not in outs and not _inside(path, outs)):
            found.append(f"{LOCK} of {commit[:8]} holds another {one_line(path)}: commit the one of this run")
    changed = sorted({path for name in STAGES for path in _changed(tree, stages.get(name, {}), outs)})
    if changed:
        named = ", ".join(map(one_line, changed[:MOST_NAMED])) + (
            f" and {len(changed) - MOST_NAMED} more" if len(changed) > MOST_NAMED else ""
        )
        found.append(f"its code is not what commit {commit[:8]} has ({named}): commit what it ran, or run it again")
    return found


def _inside(path: str, outs: Iterable[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in outs)


def _folders(files: Mapping[str, str], outs: Iterable[str]) -> dict[str, str]:
    """What DVC calls each folder of *outs* that holds only *files*, of which it has some."""
    inside = {
        folder: {p.removeprefix(f"{folder}/"): md5 for p, md5 in files.items() if _inside(p, [folder])}
        for folder in outs
    }
    return {folder: _listing_md5(listed) for folder, listed in inside.items() if listed}


def _listing_md5(files: Mapping[str, str]) -> str:
    listed = [{"md5": md5, "relpath": path} for path, md5 in sorted(files.items())]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def stages_of(tree: pygit2.Tree) -> dict[str, Any] | None:
    """The stages of the dvc.lock in *tree*; None where there is none that can be read."""
    try:
        blob = tree[LOCK]
        stages = YAML(typ="safe").load(blob.data)["stages"] if isinstance(blob, pygit2.Blob) else None
    except (KeyError, TypeError, YAMLError, ValueError):
        return None
    return stages if isinstance(stages, dict) and all(isinstance(one, dict) for one in stages.values()) else None


def _changed(tree: pygit2.Tree, stage: dict[str, Any], outs: dict[str, str]) -> Iterator[str]:
    """Dependencies that Git holds with other content, or that neither Git nor a stage holds."""
    for dep in stage.get("deps", ()):
        path, md5 = str(dep.get("path")), dep.get("md5")
        if path in outs:
            continue
        try:
            entry = tree[path]
        except KeyError:
            yield path
            continue
        if _md5(entry) != md5:
            yield path


def _md5(entry: pygit2.Object) -> str:
    """What DVC calls the file or folder: the MD5 of its bytes, or of the list of its files."""
    if isinstance(entry, pygit2.Blob):
        return hashlib.md5(entry.data, usedforsecurity=False).hexdigest()
    assert isinstance(entry, pygit2.Tree)
    return _listing_md5({path: _md5(blob) for path, blob in _blobs(entry, "")})


def _blobs(tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, pygit2.Blob]]:
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            yield from _blobs(entry, f"{prefix}{entry.name}/")
        elif isinstance(entry, pygit2.Blob):
            yield f"{prefix}{entry.name}", entry

"""What a run left: files in the ledger, and outputs in DVC's cache or remotes that its dvc.lock names by hash."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

LOCK = "dvc.lock"
MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
DATA_STAGE = "fetch"
FORBIDDEN_FOLDERS = (".git", ".dvc")


@dataclass(frozen=True)
class Output:
    """One file or folder. `ledger` is its name in the ledger, else `md5` names it for DVC, with `.dir` for a folder.

    `is_data` is set for the data set, which the run was made from; `is_kept` is not for what another tool kept.
    """

    path: str
    bytes: int
    md5: str = ""
    ledger: str = ""
    is_data: bool = False
    is_kept: bool = True

    @property
    def is_folder(self) -> bool:
        """Whether DVC keeps a list of files under this hash."""
        return self.md5.endswith(".dir")


def outputs_of(ledger: Ledger, run: Run) -> list[Output]:
    """Everything that *run* left, sorted by path; what has no usable path or hash is left out."""
    filed = list(_filed(run))
    named = {one.ledger for one in filed}
    kept = [Output(name, size, ledger=name) for name, size in ledger.files(run.run_id).items() if name not in named]
    found = {one.path: one for one in [*_locked(ledger.file(run.run_id, LOCK)), *kept, *filed]}
    return [found[path] for path in sorted(found)]


def checked_path(path: str) -> PurePosixPath:
    """Return *path* as one that stays inside the folder it is joined to. Raises RunhiveError for any other."""
    parts = path.split("/")
    inside = all(part not in ("", ".", "..") and part.lower() not in FORBIDDEN_FOLDERS for part in parts)
    if not inside or "\\" in path or not path.isprintable():
        raise RunhiveError(
            f"the run names a file {one_line(path)[:200]!r}, which is not written: it may leave its folder"
        )
    return PurePosixPath(path)


def _filed(run: Run) -> Iterator[Output]:
    for path, file in run.files.items():
        if _usable(path):
            is_kept = file.get("kept") is not False
            yield Output(
                path, file["bytes"], file["md5"], file.get("ledger") or "", file.get("kind") == "data", is_kept
            )


def _locked(lock: bytes | None) -> Iterator[Output]:
    """The outs of every stage of a dvc.lock, which may come from anybody's clone."""
    try:
        stages: dict[str, Any] = YAML(typ="safe").load(lock or b"")["stages"]
        outs = [(name, out) for name, stage in stages.items() for out in stage.get("outs", ())]
    except (YAMLError, KeyError, TypeError, AttributeError, ValueError):
        return
    for stage, out in outs:
        if not isinstance(out, dict) or out.get("hash") != "md5":
            continue
        path, md5, size = out.get("path"), str(out.get("md5")), out.get("size")
        if isinstance(path, str) and _usable(path) and MD5.fullmatch(md5):
            yield Output(path, size if isinstance(size, int) else 0, md5, is_data=stage == DATA_STAGE)


def _usable(path: str) -> bool:
    try:
        checked_path(path)
    except RunhiveError:
        return False
    return True

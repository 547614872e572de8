"""MLflow's file store, read only: `<experiment>/meta.yaml` and `<experiment>/<run>/{meta.yaml,params,metrics,tags}`."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError

META = "meta.yaml"
STATUS = {1: "running", 2: "scheduled", 3: "finished", 4: "failed", 5: "killed"}
VALUE_BYTES = 100_000  # of one parameter or tag; MLflow itself stops at 8,000 characters
ARTIFACTS = 1000  # listed of one run
DAMAGE = (KeyError, TypeError, ValueError, OverflowError, OSError, YAMLError)


@dataclass(frozen=True)
class Point:
    """One logged value of a metric; `time` in milliseconds since 1970."""

    time: int
    value: float
    step: int


@dataclass(frozen=True)
class StoredRun:
    """One run of the store, without its metrics and artifacts, which may be many. Times are UTC."""

    folder: Path
    run_id: str
    experiment: str
    name: str
    user: str
    status: str
    deleted: bool
    started: datetime
    ended: datetime | None
    params: dict[str, str]
    tags: dict[str, str]

    def metrics(self) -> dict[str, list[Point]]:
        """Read the points of each metric, in the order in which they were logged. A damaged one has none."""
        return {key: _points(text) for key, text in _texts(self.folder / "metrics", most=None)}

    def artifacts(self) -> dict[str, Path]:
        """Return the first ARTIFACTS files that the store itself holds, by their path in the run."""
        folder = self.folder / "artifacts"
        return {path.relative_to(folder).as_posix(): path for path in _files(folder)[:ARTIFACTS]}


def read_store(folder: Path) -> Iterator[StoredRun]:
    """Yield the runs of every experiment. One that is damaged is left out with a warning that names it.

    Raises RunhiveError where *folder* is no file store of MLflow.
    """
    experiments = [path for path in _folders(folder) if (path / META).is_file()]
    if not experiments or (folder / META).is_file():
        raise RunhiveError(f"{folder} is no file store of MLflow: name the folder `mlruns`, whose folders hold {META}")
    for path in experiments:
        try:
            name = str(_meta(path)["name"])
        except DAMAGE as error:
            warnings.warn(f"left out: {path / META} is damaged ({_short(error)})", stacklevel=2)
            continue
        yield from _runs(path, name)


def _runs(experiment: Path, name: str) -> Iterator[StoredRun]:
    for path in _folders(experiment):
        if not (path / META).is_file() or not _is_run(path):
            continue
        try:
            yield _run(path, name)
        except DAMAGE as error:
            warnings.warn(f"left out: {path} is damaged ({_short(error)})", stacklevel=3)


def _is_run(path: Path) -> bool:
    return any((path / part).is_dir() for part in ("params", "metrics", "tags", "artifacts"))


def _run(path: Path, experiment: str) -> StoredRun:
    meta = _meta(path)
    tags = dict(_texts(path / "tags"))
    return StoredRun(
        folder=path,
        run_id=path.name,  # as in meta.yaml, where a YAML reader may take one for a number
        experiment=experiment,
        name=str(meta.get("run_name") or tags.get("mlflow.runName") or meta.get("name") or ""),
        user=str(meta.get("user_id") or ""),
        status=STATUS[int(meta["status"])],
        deleted=meta.get("lifecycle_stage") == "deleted",
        started=_moment(meta["start_time"]),
        ended=_moment(meta["end_time"]) if meta.get("end_time") else None,
        params=dict(_texts(path / "params")),
        tags=tags,
    )


def _meta(folder: Path) -> dict[str, Any]:
    found = YAML(typ="safe").load((folder / META).read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("no keys and values")
    return found


def _moment(milliseconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)


def _points(text: str) -> list[Point]:
    """Lines of `time value step`, to which newer versions add the data set; the first ones had no step."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    try:
        return [Point(int(row[0]), float(row[1]), int(row[2]) if len(row) > 2 else 0) for row in rows]
    except (ValueError, IndexError):
        return []


def _texts(folder: Path, most: int | None = VALUE_BYTES) -> Iterator[tuple[str, str]]:
    """Each file below *folder* as its key, which may hold slashes, and its text."""
    for path in _files(folder):
        with path.open("rb") as file:
            content = file.read() if most is None else file.read(most)
        yield path.relative_to(folder).as_posix(), content.decode(errors="replace")


def _files(folder: Path) -> list[Path]:
    """Regular files below *folder*, sorted; links are not followed."""
    found = [Path(top, name) for top, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

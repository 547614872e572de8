"""A run's files to a folder: each checked against its hash before it gets its name, whole or not at all."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil

from runhive.errors import RunhiveError
from runhive.files import sync_folder
from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.storage.artifacts import own_path
from runhive.tracking.storage.dvc_store import Store, md5_of
from runhive.tracking.storage.outputs import Output, checked_path, outputs_of

WORKSPACE = ".download-"


@dataclass
class Downloaded:
    """Paths that were written, and those that were there already with the same content."""

    written: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)


def fetch(source: "Source", path: str, to: Path, force: bool) -> Downloaded:
    """Copy what a run left at *path*, or all that it made where *path* is empty, into the folder *to*.

    Raises RunhiveError where there is no such file, where no place has it whole, where one with other content is in
    the way and *force* is not set, and where *to* cannot be written. What was copied before stays, each file whole.
    """
    wanted = path.strip("/")
    chosen = _chosen(outputs_of(source.ledger, source.run), wanted, source.run.run_id)
    done = Downloaded()
    try:
        with _workspace(to) as temporary:
            target = Target(to, temporary, force, done)
            for one in chosen:
                _copy(source, one, wanted, target)
    except OSError as error:
        raise RunhiveError(f"{to} cannot be written ({error.strerror}): free the disk or mend permissions") from error
    return done


@dataclass(frozen=True)
class Source:
    """A run, and where its files may be."""

    ledger: Ledger
    run: Run
    root: Path

    @cached_property
    def store(self) -> Store:
        """DVC's cache and remotes, opened when the first file of theirs is wanted."""
        return Store(self.root)

    def has(self, md5: str) -> bool:
        """Say whether there is an object of this hash outside of the ledger."""
        return own_path(self.root, md5).exists() or ((self.root / ".dvc").is_dir() and self.store.has(md5))

    def copy(self, md5: str, path: str, target: Path) -> None:
        """Write the object of this hash to *target*; one that was kept without DVC from there."""
        own = own_path(self.root, md5)
        if own.exists() and md5_of(own) == md5:
            shutil.copyfile(own, target)
        else:
            self.store.copy(md5, path, target)


def _chosen(outputs: Sequence[Output], path: str, run_id: str) -> list[Output]:
    """The outputs at *path*, below it, or that hold it."""
    if not path:
        chosen = [one for one in outputs if not one.is_data]
    else:
        chosen = [one for one in outputs if one.path == path or one.path.startswith(f"{path}/")]
        chosen = chosen or [one for one in outputs if one.is_folder and path.startswith(f"{one.path}/")]
    if not chosen:
        what = f"no file {one_line(path)!r}" if path else "no files"
        raise RunhiveError(f"run {run_id} left {what}: see `runhive runs files {run_id}`")
    return chosen


@dataclass(frozen=True)
class Target:
    """Where files go, by way of the folder *temporary* on the same file system."""

    to: Path
    temporary: Path
    force: bool
    done: Downloaded

    def missing(self, path: str, md5: str) -> bool:
        """Say whether *path* has to be written. Raises RunhiveError where another content is in the way."""
        target = self.place(path)
        if not target.exists():
            return True
        if target.is_file() and md5_of(target) == md5:
            self.done.there.append(path)
            return False
        if not self.force or target.is_dir():
            raise RunhiveError(f"{target} is there with other content: name another folder with --to, or use --force")
        return True

    def keep(self, path: str, whole: Path) -> None:
        """Give the file *whole* its name, durably."""
        target = self.place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole.open("rb") as file:
            os.fsync(file.fileno())
        whole.replace(target)
        sync_folder(target.parent)
        self.done.written.append(path)

    def place(self, path: str) -> Path:
        """Where *path* lies. Raises RunhiveError where a link would lead out of the folder."""
        target = self.to / checked_path(path)
        if not target.parent.resolve().is_relative_to(self.to.resolve()):
            raise RunhiveError(f"{target} leads out of {self.to} by a link: remove the link")
        return target


def _copy(source: Source, one: Output, wanted: str, target: Target) -> None:
    whole = target.temporary / "file"
    if one.ledger and _from_ledger(source, one, whole):
        if target.missing(one.path, md5_of(whole)):
            target.keep(one.path, whole)
        return
    for path, md5 in _listed(source, one, wanted):
        if target.missing(path, md5):
            source.copy(md5, path, whole)
            target.keep(path, whole)


def _from_ledger(source: Source, one: Output, whole: Path) -> bool:
    """Write what the ledger holds of *one* to *whole*; say whether that is all of it, or all that there is.

    Of a long log the ledger holds the last part, DVC's cache the whole, on the machine that made it.
    """
    whole.write_bytes(source.ledger.file(source.run.run_id, one.ledger) or b"")
    return not one.md5 or md5_of(whole) == one.md5 or not source.has(one.md5)


def _listed(source: Source, one: Output, wanted: str) -> list[tuple[str, str]]:
    """The files of *one*, a file or a folder, with their hashes; of a folder only what lies at *wanted* or below."""
    if not one.is_folder:
        return [(one.path, one.md5)]
    files = [(f"{one.path}/{name}", md5) for name, md5 in source.store.listing(one.md5, one.path)]
    if not wanted.startswith(f"{one.path}/"):
        return files
    found = [(path, md5) for path, md5 in files if path == wanted or path.startswith(f"{wanted}/")]
    if not found:
        raise RunhiveError(f"{one.path} of run {source.run.run_id} holds no {one_line(wanted)!r}: name {one.path}")
    return found


@contextmanager
def _workspace(to: Path) -> Iterator[Path]:
    """Make a folder in *to* for what is not whole yet; those of processes that died are removed."""
    to.mkdir(parents=True, exist_ok=True)
    for old in to.glob(f"{WORKSPACE}*"):
        pid = old.name.removeprefix(WORKSPACE)
        if pid == str(os.getpid()) or not (pid.isdecimal() and psutil.pid_exists(int(pid))):
            shutil.rmtree(old, ignore_errors=True)
    folder = to / f"{WORKSPACE}{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            to.rmdir()  # where nothing came of it

"""The registry of a repository that one has no clone of: what is needed of it, in a folder that goes away."""

import os
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser, ParsingError
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pygit2

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.git import ASKING, ELSEWHERE
from runhive.tracking.ledger.objects import REF, subtree
from runhive.tracking.ledger.run import RUN_ID, run_folder
from runhive.tracking.registry.tags import read_tags

CONFIG = ".dvc/config"
SPECS = (f"{REF}:{REF}", "refs/tags/*:refs/tags/*")
HERE = "refs/runhive/head"
BRANCHES = ("HEAD", "refs/heads/main", "refs/heads/master")  # a bare hub's HEAD may name a branch that it has not
NAME = "origin"
# A server that knows no filter sends all, which Git remarks.
FETCH = ("fetch", "--quiet", "--no-tags", "--filter=blob:none")
SINGLE_OBJECTS = ("-c", "protocol.version=2")  # which a server of version 0 may refuse to send
KEPT_BACK = ("-c", "fetch.negotiationAlgorithm=noop")  # else the server takes for here what commits that are here hold


@contextmanager
def fetched(url: str) -> Iterator[Path]:
    """Fetch the tags, what the ledger has of their runs, and the DVC configuration of the repository at *url*.

    Raises RunhiveError with Git's reason where that fails, as where there is no ledger.
    """
    with _folder() as root:
        source = str(Path(url).resolve()) if Path(url).exists() else url
        _git(root, "init", "--quiet")
        _git(root, "remote", "add", "--", NAME, _address(source))
        _git(root, *FETCH, "--depth=1", NAME, *SPECS)
        for branch in BRANCHES:
            with suppress(RunhiveError):  # without any, there is no configuration to take over
                _git(root, *FETCH, "--depth=1", NAME, f"{branch}:{HERE}")
                break
        if wanted := sorted(_wanted(pygit2.Repository(str(root)))):
            _git(root, *KEPT_BACK, *FETCH, "--stdin", NAME, given="\n".join(wanted))
        _configure(root, Path(source) if Path(source).exists() else None)
        yield root


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(prefix="runhive-")
    except OSError as error:
        raise RunhiveError(f"there is no folder for temporary files ({error.strerror}): free the disk") from error
    with folder as path:
        yield Path(path)


def _wanted(repository: pygit2.Repository) -> Iterator[str]:
    """What the server kept back of the runs that tags name, and of the DVC configuration."""
    ledger = repository.references[REF].peel(pygit2.Tree)
    runs = {tag.run_id for tag in read_tags(repository) if RUN_ID.fullmatch(tag.run_id)}
    trees = [folder for run_id in runs if (folder := subtree(ledger, run_folder(run_id)))]
    found = {blob for tree in trees for blob in _blobs(tree)}
    with suppress(KeyError):
        found.add(_entry(repository).id)
    return (str(blob) for blob in found if blob not in repository)


def _blobs(tree: pygit2.Tree) -> Iterator[pygit2.Oid]:
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            yield from _blobs(entry)
        else:
            yield entry.id


def _entry(repository: pygit2.Repository) -> pygit2.Object:
    """The DVC configuration at HEAD. Raises KeyError where there is none."""
    return repository.references[HERE].peel(pygit2.Tree)[CONFIG]


def _address(source: str) -> str:
    """A local folder as a file:// address: git ignores --depth for a plain path."""
    return f"file://{source}" if source.startswith("/") else source


def _configure(root: Path, source: Path | None) -> None:
    """Take over the DVC configuration; what it says relative to the repository is found there, its cache too."""
    repository = pygit2.Repository(str(root))
    try:
        blob = _entry(repository)
    except KeyError:
        return
    config = ConfigParser(strict=False, interpolation=None)
    try:
        config.read_string(blob.data.decode() if isinstance(blob, pygit2.Blob) else "")
    except (ParsingError, UnicodeDecodeError) as error:
        raise RunhiveError(f"{CONFIG} of the repository cannot be read ({one_line(str(error))[:80]})") from error
    if source is not None:
        for section in config.sections():
            url = config.get(section, "url", fallback="")
            if url and "://" not in url:
                config.set(section, "url", str((source / ".dvc" / url).resolve()))
        if not config.has_section("cache"):
            config.add_section("cache")
        config.set("cache", "dir", str(source / ".dvc" / config.get("cache", "dir", fallback="cache")))
    (root / ".dvc").mkdir()
    with (root / CONFIG).open("w") as file:
        config.write(file)


def _git(root: Path, *words: str, given: str = "") -> None:
    surroundings = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    done = subprocess.run(
        ["git", "-C", root, *SINGLE_OBJECTS, *words],
        env=surroundings | ASKING, input=given, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith(("fatal:", "error:"))] or ["no reason"]
        if REF in done.stderr:
            raise RunhiveError(f"the repository has no ledger ({REF}): push it there with `runhive runs push`")
        raise RunhiveError(f"the repository cannot be fetched: git says: {one_line(said[0])[:200]}")

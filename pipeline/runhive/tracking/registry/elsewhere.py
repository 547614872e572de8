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
from runhive.tracking.git import ASKING
from runhive.tracking.ledger.objects import REF

CONFIG = ".dvc/config"
SPECS = (f"{REF}:{REF}", "refs/tags/*:refs/tags/*")
HERE = "refs/runhive/head"
BRANCHES = ("HEAD", "refs/heads/main", "refs/heads/master")  # a bare hub's HEAD may name a branch that it has not


@contextmanager
def fetched(url: str) -> Iterator[Path]:
    """Fetch the tags, the ledger and the DVC configuration of the repository at *url*, without its history.

    Raises RunhiveError with Git's reason where that fails, as where there is no ledger.
    """
    with TemporaryDirectory(prefix="runhive-") as folder:
        root = Path(folder)
        _git(root, "init", "--quiet")
        source = str(Path(url).resolve()) if Path(url).exists() else url
        fetch = ("fetch", "--quiet", "--depth=1", "--no-tags")
        _git(root, *fetch, "--", _address(source), *SPECS)
        for branch in BRANCHES:
            with suppress(RunhiveError):  # without any, there is no configuration to take over
                _git(root, *fetch, "--", _address(source), f"{branch}:{HERE}")
                break
        _configure(root, Path(source) if Path(source).exists() else None)
        yield root


def _address(source: str) -> str:
    """A local folder as a file:// address: git ignores --depth for a plain path."""
    return f"file://{source}" if source.startswith("/") else source


def _configure(root: Path, source: Path | None) -> None:
    """Take over the DVC configuration; what it says relative to the repository is found there, its cache too."""
    repository = pygit2.Repository(str(root))
    try:
        blob = repository.references[HERE].peel(pygit2.Tree)[CONFIG]
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


def _git(root: Path, *words: str) -> None:
    done = subprocess.run(
        ["git", "-C", root, *words], env=os.environ | ASKING, capture_output=True, text=True, errors="replace"
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith(("fatal:", "error:"))] or ["no reason"]
        if REF in done.stderr:
            raise RunhiveError(f"the repository has no ledger ({REF}): push it there with `runhive runs push`")
        raise RunhiveError(f"the repository cannot be fetched: git says: {one_line(said[0])[:200]}")

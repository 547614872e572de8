"""A Git remote's ledger, reached with the user's own git: its ssh keys, credential helpers and proxies are in force."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pygit2

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.git import Done, run_git
from runhive.tracking.ledger.objects import REF, STALE_SECONDS

FETCH = ("--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules")
PUSH = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
LOST_RACE = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "already exists",
)
TOLD = 300  # characters of what git says


@dataclass(frozen=True)
class Remote:
    """A remote of *repository* by its name."""

    repository: pygit2.Repository
    name: str

    def seen_ref(self) -> str:
        """The ref that remembers the remote's ledger as it was seen last."""
        return f"refs/runhive/remotes/{self.name}/main"

    def tip(self) -> pygit2.Oid | None:
        """Ask the remote for the commit that its ledger is at; None where it has none."""
        listed = self._git("ls-remote", self.name, REF).stdout.split()
        return pygit2.Oid(hex=listed[0]) if listed else None

    def fetch(self, tip: pygit2.Oid) -> None:
        """Fetch *tip* with all that it reaches, whole even into a partial clone, and move no ref."""
        self._git("fetch", "--quiet", "--no-filter", *FETCH, self.name, str(tip))

    def fetch_branches(self) -> None:
        """Bring the remote's branches up to date here."""
        self._git("fetch", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance", self.name)

    def push(self, commit: pygit2.Oid, seen: pygit2.Oid | None) -> str | None:
        """Move the remote's ledger from where it was *seen* to *commit*; return git's reason where it lost a race."""
        lease = f"--force-with-lease={REF}:{seen or ''}"
        done = run_git(self.repository, "push", *PUSH, lease, self.name, f"{commit}:{REF}")
        if done.returncode == 0:
            return None
        if any(reason in done.stdout + done.stderr for reason in LOST_RACE):
            return _reason(done)
        raise self.error(done)

    def unlock(self) -> bool:
        """Remove the lock on the ledger that a killed push left in a remote that is a folder of this machine.

        Takes STALE_SECONDS, since only a lock that stays for that long is nobody's. Says whether there was one.
        """
        url = self._git("remote", "get-url", "--push", self.name).stdout.strip().removeprefix("file://")
        folder = Path(self.repository.workdir, url)
        locks = {lock: _identity(lock) for lock in (folder / f"{REF}.lock", folder / ".git" / f"{REF}.lock")}
        found = [lock for lock, identity in locks.items() if identity]
        if found:
            time.sleep(STALE_SECONDS)
        for lock in found:
            if _identity(lock) == locks[lock]:
                lock.unlink(missing_ok=True)
        return bool(found)

    def _git(self, *words: str) -> Done:
        done = run_git(self.repository, *words)
        if done.returncode != 0:
            raise self.error(done)
        return done

    def error(self, done: Done) -> RunhiveError:
        """What git said, in one line."""
        said = _reason(done)
        return RunhiveError(f"{self.name}: git says: {said}: see `git ls-remote {self.name}`, then try again")


def _identity(file: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        stat = file.stat()
        return stat.st_ino, stat.st_mtime_ns
    return None


def find_remote(repository: pygit2.Repository, name: str | None) -> Remote:
    """Return the remote *name*, by default `origin` or the only one. Raises RunhiveError where there is none."""
    names = sorted(str(remote.name) for remote in repository.remotes)
    chosen = name or ("origin" if "origin" in names or len(names) != 1 else names[0])
    if chosen not in names:
        known = f"there are {', '.join(names)}" if names else "there is none"
        raise RunhiveError(f"no Git remote {chosen!r} ({known}): add it with `git remote add {chosen} URL`")
    return Remote(repository, chosen)


def _reason(done: Done) -> str:
    """The one line of git's output that says most."""
    lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    refused = [line.rpartition("\t")[2] for line in lines if line.startswith("!")]
    told = refused or [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ssh:"))]
    return one_line((told or lines or ["nothing"])[0])[:TOLD]

"""Check the whole ledger: every object, event, file and commit, and that nothing of its history was taken away."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pygit2
from pygit2.enums import FileMode, SortMode

from runhive.errors import RunhiveError
from runhive.tracking.ledger.batch import read_batch
from runhive.tracking.ledger.journal import SEEN
from runhive.tracking.ledger.layout import RUN, check
from runhive.tracking.ledger.objects import bytes_of, commit_at, content_of, subtree, tree_of
from runhive.tracking.ledger.rewriting import Rewriting
from runhive.tracking.ledger.run import run_folder
from runhive.tracking.ledger.stone import Stone, stones

FOR_EVER = re.compile(rf"{RUN}/.*|purged/.*", re.DOTALL)  # nothing is ever taken away or changed


@dataclass(frozen=True)
class Problem:
    """What is wrong with a path, a ref or a commit."""

    where: str
    what: str


@dataclass(frozen=True)
class Verdict:
    """How much was checked, and what is wrong with it."""

    counts: dict[str, int]
    problems: tuple[Problem, ...]


def verify(repository: pygit2.Repository) -> Verdict:
    """Read everything that the ledger reaches. libgit2 checks each object's bytes against its id."""
    tip = commit_at(repository)
    counts = Counter(dict.fromkeys(("runs", "events", "files", "pictures", "stones", "commits"), 0))
    seen: set[pygit2.Oid] = set()
    try:
        tree = tree_of(tip)
        laid = _stones(tree)
        problems = [*_tree(tree, counts, seen), *_purged(tree, laid)]
        if tip:
            for commit in repository.walk(tip.id, SortMode.TOPOLOGICAL):
                counts["commits"] += 1
                problems += _commit(repository, commit, seen)
            problems += _lost(repository, tip, laid)
    except (pygit2.GitError, OSError, KeyError) as error:
        raise RunhiveError(f"the ledger is damaged ({error}): fetch it again from a remote or a clone") from error
    return Verdict(dict(counts), tuple(problems))


def _tree(tree: pygit2.Tree | None, counts: Counter[str], seen: set[pygit2.Oid]) -> Iterator[Problem]:
    runs: dict[str, bool] = {}  # each run's folder, and whether it has events
    for path, entry in _entries(tree, ""):
        if entry.filemode != FileMode.BLOB or not isinstance(entry, pygit2.Blob):
            yield Problem(path, f"is no plain file (mode {entry.filemode:o})")
            continue
        kind, faults = check(path, entry)
        counts[kind] += len(read_batch(bytes_of(entry))) if kind == "events" and not faults else 1
        seen.add(entry.id)
        yield from (Problem(path, fault) for fault in faults)
        if run := re.match(RUN, path):
            runs[run[0]] = runs.get(run[0], False) or kind == "events"
    counts["runs"] = len(runs)
    yield from (Problem(path, "has no events") for path, has_events in runs.items() if not has_events)


def _entries(tree: pygit2.Tree | None, folder: str) -> Iterator[tuple[str, pygit2.Object]]:
    """Yield all that is no folder, with its path."""
    for entry in tree or ():
        path = f"{folder}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            yield from _entries(entry, f"{path}/")
        else:
            yield path, entry


def _stones(tree: pygit2.Tree | None) -> list[Stone]:
    try:
        return list(stones(tree))
    except RunhiveError:
        return []  # the malformed one is told by its path


def _purged(tree: pygit2.Tree | None, laid: Sequence[Stone]) -> Iterator[Problem]:
    for folder in sorted({run_folder(stone.run_id) for stone in laid}):
        if subtree(tree, folder):
            yield Problem(folder, "was purged and is here again")


def _commit(repository: pygit2.Repository, commit: pygit2.Commit, seen: set[pygit2.Oid]) -> Iterator[Problem]:
    """What the commit takes away from its parents, and what only it holds and cannot be read."""
    before: list[pygit2.Tree | None] = [parent.tree for parent in commit.parents] or [None]
    for tree in before:
        for path, old, new in _changes(tree, commit.tree, ""):
            if old and FOR_EVER.fullmatch(path):
                yield Problem(str(commit.id), f"takes away {path}")
            if isinstance(new, pygit2.Blob) and new.id not in seen:
                seen.add(new.id)
                content_of(repository, str(new.id))


def _changes(
    before: pygit2.Tree | None, after: pygit2.Tree | None, folder: str
) -> Iterator[tuple[str, pygit2.Object | None, pygit2.Object | None]]:
    """Yield the path of each file that differs, with what it was and is. libgit2's diff reads also what is equal."""
    old, new = ({entry.name: entry for entry in tree or ()} for tree in (before, after))
    for name in sorted(old.keys() | new.keys(), key=str):
        was, now = old.get(name), new.get(name)
        if was and now and was.id == now.id:
            continue
        if isinstance(was, pygit2.Tree) or isinstance(now, pygit2.Tree):
            yield from _changes(_folder(was), _folder(now), f"{folder}{name}/")
        if (was and not _folder(was)) or (now and not _folder(now)):
            yield f"{folder}{name}", None if _folder(was) else was, None if _folder(now) else now


def _folder(entry: pygit2.Object | None) -> pygit2.Tree | None:
    return entry if isinstance(entry, pygit2.Tree) else None


def _lost(repository: pygit2.Repository, tip: pygit2.Commit, laid: Sequence[Stone]) -> Iterator[Problem]:
    """The remotes' ledgers, as they were seen last, whose commits are not in this one."""
    rewrite = Rewriting(repository, laid)
    for name in repository.references:
        last = commit_at(repository, name) if name.startswith(SEEN) else None
        if last and (known := rewrite(last.id)) != tip.id and not repository.descendant_of(tip.id, known):
            yield Problem(name, "has commits that the ledger lacks: run `runhive runs pull`")

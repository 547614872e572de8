"""A ledger's history without its purged runs: a pure function, so that every clone makes the same commits of it."""

from collections.abc import Iterable

import pygit2
from pygit2.enums import FileMode, ObjectType, SortMode

from runhive.errors import RunhiveError
from runhive.tracking.ledger.entry import media_path
from runhive.tracking.ledger.run import run_folder
from runhive.tracking.ledger.stone import Stone

Paths = dict[str, "Paths"]  # names within folders; an empty one is what goes


class Rewriting:
    """What the commits become when the runs under *stones* had never been. A commit without them stays itself."""

    def __init__(self, repository: pygit2.Repository, stones: Iterable[Stone]) -> None:
        self.repository = repository
        self.commits: dict[pygit2.Oid, pygit2.Oid] = {}
        self.trees: dict[tuple[pygit2.Oid, int], pygit2.Oid] = {}
        self.paths: Paths = {}
        for stone in stones:
            for path in (run_folder(stone.run_id), *map(media_path, stone.media)):
                inner = self.paths
                for name in path.split("/"):
                    inner = inner.setdefault(name, {})

    def __call__(self, tip: pygit2.Oid) -> pygit2.Oid:
        """Return what the commit *tip* becomes. Raises RunhiveError where its history is here in part only."""
        if not self.paths:
            return tip
        for commit in self.repository.walk(tip, SortMode.TOPOLOGICAL | SortMode.REVERSE):
            if commit.id not in self.commits:
                self.commits[commit.id] = self._commit(commit)
        return self.commits[tip]

    def _commit(self, commit: pygit2.Commit) -> pygit2.Oid:
        try:
            parents = list(dict.fromkeys(self.commits[parent] for parent in commit.parent_ids))
        except KeyError as error:
            raise RunhiveError(
                "the ledger's history is here in part only, so no run can be taken out of it: "
                "run `git fetch --unshallow`, or clone again"
            ) from error
        tree = self._tree(commit.tree, self.paths)
        if tree == commit.tree_id and parents == commit.parent_ids:
            return commit.id
        if len(parents) == 1 and self.repository[parents[0]].peel(pygit2.Tree).id == tree:
            return parents[0]
        _, author, rest = commit.read_raw().partition(b"\nauthor ")
        head = "\n".join([f"tree {tree}", *(f"parent {parent}" for parent in parents)])
        return self.repository.write(ObjectType.COMMIT, head.encode() + author + rest)

    def _tree(self, tree: pygit2.Tree, paths: Paths) -> pygit2.Oid:
        """Write *tree* without *paths* and without the folders that are empty then, and return its id."""
        known = tree.id, id(paths)
        if known not in self.trees:
            self.trees[known] = self._written(tree, paths)
        return self.trees[known]

    def _written(self, tree: pygit2.Tree, paths: Paths) -> pygit2.Oid:
        builder = self.repository.TreeBuilder(tree)
        for name, inner in paths.items():
            if name not in tree:
                continue
            entry = tree[name]
            below = self._tree(entry, inner) if inner and isinstance(entry, pygit2.Tree) else None
            if below is None or len(self.repository[below].peel(pygit2.Tree)) == 0:
                builder.remove(name)
            else:
                builder.insert(name, below, FileMode.TREE)
        return builder.write()

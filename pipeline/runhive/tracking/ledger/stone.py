"""Stones: what is left of a run that was taken out for good, and what keeps it from coming back."""

from collections.abc import Iterator

import pygit2
from pydantic import BaseModel, ConfigDict, ValidationError

from runhive.errors import RunhiveError
from runhive.tracking.ledger.entry import SHA256
from runhive.tracking.ledger.objects import bytes_of, subtree
from runhive.tracking.ledger.run import RUN_ID

FOLDER = "purged"


class Stone(BaseModel):
    """Who took a run out, when and why, and the pictures that went with it."""

    model_config = ConfigDict(strict=True, frozen=True)

    schema_version: int = 1
    run_id: str
    by: str
    time: str
    why: str
    media: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """The bytes of the stone's file."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    def path(self) -> str:
        """Where it lies in the ledger; two clones that purge one run leave a stone each."""
        return f"{FOLDER}/{self.run_id}/{str(pygit2.hash(self.to_json()))[:8]}.json"


def stones(tree: pygit2.Tree | None) -> Iterator[Stone]:
    """Yield the stones of the ledger's *tree*. Raises RunhiveError naming a malformed one."""
    for folder in subtree(tree, FOLDER) or ():
        for entry in folder if isinstance(folder, pygit2.Tree) else ():
            yield _parse(entry, f"{FOLDER}/{folder.name}/{entry.name}")


def refuse_purged(tree: pygit2.Tree | None, run_id: str) -> None:
    """Raise RunhiveError where *run_id* was purged: what is taken out for good is not written again."""
    if folder := subtree(tree, f"{FOLDER}/{run_id}"):
        stone = _parse(next(iter(folder)), f"{FOLDER}/{run_id}")
        raise RunhiveError(f"run {run_id} was purged by {stone.by!r} ({stone.why!r}): train again for a new run")


def _parse(entry: pygit2.Object, path: str) -> Stone:
    found = bytes_of(entry) if isinstance(entry, pygit2.Blob) else b""
    try:
        stone = Stone.model_validate_json(found)
    except ValidationError as error:
        raise RunhiveError(f"{path!r} of the ledger is no well-formed stone: run `runhive runs verify`") from error
    if not RUN_ID.fullmatch(stone.run_id) or not all(SHA256.fullmatch(sha256) for sha256 in stone.media):
        raise RunhiveError(f"{path!r} of the ledger is no well-formed stone: run `runhive runs verify`")
    return stone

"""Which ONNX files the site holds: one copy of each, small enough for a page, within a bound for the whole site."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from runhive.files import sha256_of
from runhive.report.numerals import size
from runhive.report.summary import Summary
from runhive.report.tryit.onnx_file import Onnx
from runhive.tracking.storage.artifacts import cached_path, own_path

MOST_BYTES = 100_000_000  # of one model
MOST_OF_ALL = 250_000_000


@dataclass(frozen=True)
class Shelf:
    """The files that may be tried, by SHA-256; `why_not` says of the others why they are not among them.

    `otherwise` is the reason for all where the site has no model at all.
    """

    files: dict[str, Path] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)
    otherwise: str = ""
    absent: str = "the machine that built this page does not have its file"


def shelve(first: Iterable[Summary], root: Path) -> Shelf:
    """Choose among the files of runs, those that count most *first*, out of the DVC cache at *root*."""
    shelf, total = Shelf(), 0
    for summary in first:
        onnx = summary.onnx
        if onnx is None or onnx.sha256 in shelf.files or onnx.sha256 in shelf.why_not:
            continue
        why_not, found = _place(onnx, total, root)
        if found is None:
            shelf.why_not[onnx.sha256] = why_not
        else:
            shelf.files[onnx.sha256] = found
            total += onnx.bytes
    return shelf


def _place(onnx: Onnx, taken: int, root: Path) -> tuple[str, Path | None]:
    """Where *onnx* lies whole, or why it is not taken."""
    if onnx.bytes > MOST_BYTES:
        return f"its {size(onnx.bytes)} are more than the {size(MOST_BYTES)} that a page may load", None
    if taken + onnx.bytes > MOST_OF_ALL:
        return f"the site keeps {size(MOST_OF_ALL)} of models, those of the best and of the last runs", None
    for path in (cached_path(root, onnx.md5), own_path(root, onnx.md5)):
        if path.is_file() and path.stat().st_size == onnx.bytes and sha256_of(path) == onnx.sha256:
            return "", path
    return Shelf.absent, None

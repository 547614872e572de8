"""What the page of one version of the data shows."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from runhive.report.data_history import Version
from runhive.report.data_record import Distribution, Duplicates, Known
from runhive.report.gallery import thumbnail
from runhive.report.numerals import number, size
from runhive.report.summary import Summary
from runhive.tracking.ledger.ledger import Ledger

MOST_GROUPS = 24
MOST_PICTURES = 4  # of one group
QUANTITIES: dict[str, tuple[str, Callable[[float], str]]] = {
    "shorter_side": ("Shorter side, pixels", number),
    "aspect_ratio": ("Width by height", lambda value: f"{value:.2f}"),
    "file_bytes": ("Size of the file", lambda value: size(int(value))),
}
KINDS = {"bytes": "the same file", "pixels": "the same pixels", "near": "nearly the same"}


@dataclass(frozen=True)
class ClassRow:
    """`counts` are in the order of the page's splits; `share` is percent of the largest class's total."""

    label: str
    counts: tuple[int, ...]
    share: float


@dataclass(frozen=True)
class Bin:
    """`counts` are images and `shares` percent of the fullest bin of the split, in the order of the page's splits."""

    label: str
    counts: tuple[int, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Spread:
    title: str
    smallest: str
    median: str
    largest: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Group:
    """Images that show the same: their paths, and for the first ones a thumbnail where the ledger has it."""

    kind: str
    paths: tuple[str, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Doubles:
    """`splits` and `labels` count the groups in several of them, of which the first are `shown` and `more` are not.

    `elsewhere` counts the groups within one split and class.
    """

    splits: int
    labels: int
    shown: tuple[Group, ...]
    more: int
    elsewhere: int


@dataclass(frozen=True)
class DataPage:
    """`missing` maps a split to the classes of which it has no image."""

    version: Version
    known: Known
    runs: tuple[Summary, ...]
    splits: tuple[str, ...]
    totals: tuple[int, ...]
    classes: tuple[ClassRow, ...]
    missing: dict[str, list[str]]
    spreads: tuple[Spread, ...]
    doubles: Doubles | None
    reasons: list[tuple[str, int]]


def data_page(version: Version, known: Known, runs: Sequence[Summary], ledger: Ledger, site: Path) -> DataPage:
    """Gather the page of *version*; thumbnails are written below *site*."""
    counts = known.data.counts
    labels = sorted({*known.data.classes, *(label for of_split in counts.values() for label in of_split)})
    digests = {image.path: image.sha256 for image in known.images or ()}
    report = known.report
    return DataPage(
        version=version,
        known=known,
        runs=tuple(runs),
        splits=tuple(counts),
        totals=tuple(sum(of_split.values()) for of_split in counts.values()),
        classes=_class_rows(labels, counts),
        missing={split: [one for one in labels if one not in of_split] for split, of_split in counts.items()},
        spreads=_spreads(report.sizes, tuple(counts)) if report else (),
        doubles=_doubles(report.duplicates, digests, ledger, site) if report else None,
        reasons=Counter(one.reason for one in report.left_out).most_common() if report else [],
    )


def _class_rows(labels: Sequence[str], counts: dict[str, dict[str, int]]) -> tuple[ClassRow, ...]:
    rows = [(label, tuple(of_split.get(label, 0) for of_split in counts.values())) for label in labels]
    most = max((sum(row) for _, row in rows), default=0) or 1
    return tuple(ClassRow(label, row, 100 * sum(row) / most) for label, row in rows)


def _spreads(sizes: dict[str, Distribution], splits: Sequence[str]) -> tuple[Spread, ...]:
    return tuple(
        _spread(title, show, sizes[name], splits)
        for name, (title, show) in QUANTITIES.items()
        if name in sizes and _fits(sizes[name])
    )


def _fits(spread: Distribution) -> bool:
    return bool(spread.counts) and all(len(counts) == len(spread.edges) + 1 for counts in spread.counts.values())


def _spread(title: str, show: Callable[[float], str], spread: Distribution, splits: Sequence[str]) -> Spread:
    ends = [spread.smallest, *spread.edges, spread.largest]
    columns = [spread.counts.get(split, [0] * (len(ends) - 1)) for split in splits]
    tops = [max(column) or 1 for column in columns]
    bins = [
        Bin(
            f"{show(low)} – {show(high)}" if low < high else show(low),
            tuple(column[index] for column in columns),
            tuple(100 * column[index] / top for column, top in zip(columns, tops, strict=True)),
        )
        for index, (low, high) in enumerate(pairwise(ends))
    ]
    return Spread(title, show(spread.smallest), show(spread.median), show(spread.largest), tuple(bins))


def _doubles(groups: Sequence[Duplicates], digests: dict[str, str], ledger: Ledger, site: Path) -> Doubles:
    doubtful = [group for group in groups if len(group.splits) > 1 or len(group.labels) > 1]
    return Doubles(
        splits=sum(len(group.splits) > 1 for group in groups),
        labels=sum(len(group.labels) > 1 for group in groups),
        shown=tuple(_group(group, digests, ledger, site) for group in doubtful[:MOST_GROUPS]),
        more=max(0, len(doubtful) - MOST_GROUPS),
        elsewhere=len(groups) - len(doubtful),
    )


def _group(group: Duplicates, digests: dict[str, str], ledger: Ledger, site: Path) -> Group:
    shown = dict.fromkeys(digests.get(path, "") for path in group.images[:MOST_PICTURES])
    found = [thumbnail(sha256, ledger, site) for sha256 in shown]
    return Group(KINDS.get(group.kind, "the same"), tuple(group.images), tuple(one for one in found if one))

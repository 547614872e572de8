"""What changed from one version of a data set to the next, told by the content of the images, not by their names."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from runhive.formats.document import Record
from runhive.formats.manifest import Image


class Change(Record):
    """An image of both versions: what it was `before` and is `after`, a split or a class. `path` is the new one."""

    path: str
    before: str
    after: str


class DataChanges(Record):
    """Paths of the images that came and went, and those that changed their split or their class, or both."""

    added: list[str]
    removed: list[str]
    moved: list[Change]
    relabelled: list[Change]


def compare_manifests(before: Sequence[Image], after: Sequence[Image]) -> DataChanges:
    """Compare two versions. An image that is there several times counts each time."""
    old, new = _without_common(before, after), _without_common(after, before)
    pairs = [pair for sha256 in {**old, **new} for pair in zip_longest(old.get(sha256, []), new.get(sha256, []))]
    both = [(was, now) for was, now in pairs if was and now]
    return DataChanges(
        added=sorted(now.path for was, now in pairs if was is None),
        removed=sorted(was.path for was, now in pairs if now is None),
        moved=_changes((now.path, was.split, now.split) for was, now in both),
        relabelled=_changes((now.path, was.label, now.label) for was, now in both),
    )


def _changes(values: Iterable[tuple[str, str, str]]) -> list[Change]:
    return [Change(path=path, before=was, after=now) for path, was, now in sorted(values) if was != now]


def _without_common(images: Iterable[Image], others: Iterable[Image]) -> dict[str, list[Image]]:
    """Those of *images* that *others* do not hold with the same split and label, by content."""
    common = Counter(_identity(image) for image in others)
    left: dict[str, list[Image]] = {}
    for image in sorted(images, key=lambda image: (image.label, image.split, image.path)):
        if common[_identity(image)]:
            common[_identity(image)] -= 1
        else:
            left.setdefault(image.sha256, []).append(image)
    return left


def _identity(image: Image) -> tuple[str, str, str]:
    return image.sha256, image.split, image.label

"""Two models' answers to the same images: what was won and lost, which classes moved, which images flipped."""

from dataclasses import dataclass

from runhive.formats.predictions import Predictions
from runhive.metrics import mcnemar_p
from runhive.tracking.comparison import changed_samples, difference_interval
from runhive.tracking.ledger.row import tone

MOST_FLIPS = 12


@dataclass(frozen=True)
class Flip:
    """An image whose answer changed between right and wrong."""

    path: str
    sha256: str
    label: str
    before: str
    after: str
    won: bool


@dataclass(frozen=True)
class Moved:
    """The hits of a class among its images, before and after."""

    label: str
    images: int
    before: int
    after: int


@dataclass(frozen=True)
class Compared:
    """`p` is McNemar's exact, two-sided; `interval` holds the difference of the shares of right answers."""

    images: int
    won: int
    lost: int
    p: float
    interval: tuple[float, float]
    moved: tuple[Moved, ...]
    flips: tuple[Flip, ...]

    @property
    def tone(self) -> str:
        """Better, worse or same, by the rule of the run's page."""
        return tone(self.won, self.lost, self.p)

    @property
    def difference(self) -> float:
        """Of the shares of right answers."""
        return (self.won - self.lost) / self.images


def compare_answers(before: Predictions | None, after: Predictions | None) -> Compared | str:
    """Compare them, or say why that cannot be."""
    if before is None or after is None:
        return f"the answers of {'the base' if before is None else 'this run'} are not kept"
    try:
        won, lost = changed_samples(before, after)
    except ValueError:
        return "the two were scored on different images"
    if not len(after.labels):
        return "no image was scored"
    counts = (len(won), len(lost))
    return Compared(
        images=len(after.labels), won=counts[0], lost=counts[1], p=mcnemar_p(*counts),
        interval=difference_interval(*counts, len(after.labels)), moved=_moved(before, after),
        flips=_flips(before, after, won, lost),
    )  # fmt: skip


def _moved(before: Predictions, after: Predictions) -> tuple[Moved, ...]:
    """The classes whose hits changed, those with the largest change of recall first."""
    was, now = _hits(before), _hits(after)
    found = [Moved(label, images, was.get(label, (0, 0))[1], hits) for label, (images, hits) in now.items() if images]
    changed = [one for one in found if one.before != one.after]
    return tuple(sorted(changed, key=lambda one: (-abs(one.after - one.before) / one.images, one.label)))


def _hits(predictions: Predictions) -> dict[str, tuple[int, int]]:
    """Images and right answers by class."""
    right = predictions.logits.argmax(axis=1) == predictions.labels
    return {
        label: (int((predictions.labels == index).sum()), int(right[predictions.labels == index].sum()))
        for index, label in enumerate(predictions.classes)
    }


def _flips(before: Predictions, after: Predictions, won: list[int], lost: list[int]) -> tuple[Flip, ...]:
    """Up to MOST_FLIPS images, half of them lost where there are enough of both."""
    of_lost = lost[: max(MOST_FLIPS // 2, MOST_FLIPS - len(won))]
    chosen = [*((row, False) for row in of_lost), *((row, True) for row in won[: MOST_FLIPS - len(of_lost)])]
    answers = dict(zip(before.sha256, before.logits.argmax(axis=1), strict=True))
    told = after.logits.argmax(axis=1)
    return tuple(
        Flip(
            path=after.paths[row], sha256=after.sha256[row], label=after.classes[after.labels[row]],
            before=before.classes[answers[after.sha256[row]]], after=after.classes[told[row]], won=is_won,
        )
        for row, is_won in chosen
    )  # fmt: skip

"""models/train.json: what differs from one run of the same inputs to the next. Only `record` reads it."""

from typing import Any, ClassVar

from runhive.formats.document import Document


class TrainRecord(Document):
    """The run that made the weights.

    `started` is the content of the run's `started` event, so that a ledger that lacks the run can be
    given it again. `epochs` are those that were trained, fewer than asked for after an early stop.
    `seconds` is the training's own time, over all attempts.
    """

    version: ClassVar[int] = 1

    run_id: str
    attempt: int
    input_digest: str
    started_at: str
    started: dict[str, Any]
    weights_sha256: str
    epochs: int
    seconds: float
    images_per_second: float

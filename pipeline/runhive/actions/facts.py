"""What an answer to a pull request is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runhive.actions.compared import Compared
from runhive.gate.verdict import Verdict
from runhive.tracking.ledger.run import Run


@dataclass(frozen=True)
class Links:
    """Addresses that Runhive made itself. `site` ends with a slash and is set where the reviewer can read the site."""

    site: str | None = None
    preview: str | None = None
    log: str | None = None


@dataclass(frozen=True)
class Answer:
    """`numbers` are metrics that were computed anew from the models' bytes; the others are the run's own word.

    `why_not` says why there is no comparison. `base_reason` says why it is that base. `commit` is the pull request's;
    `others` are the parameters that the run has otherwise than params.yaml there. `printed` are
    the last lines of a run that did not complete.
    """

    run: Run
    base: Run | None
    base_reason: str = ""
    compared: Compared | None = None
    why_not: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    base_numbers: Mapping[str, float] = field(default_factory=dict)
    verdict: Verdict | None = None
    commit: str | None = None
    others: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()
    links: Links = Links()

    @property
    def is_bases_own(self) -> bool:
        """Whether the model is that of the base branch."""
        return self.base is not None and self.base.run_id == self.run.run_id

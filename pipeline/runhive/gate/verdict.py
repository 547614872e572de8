"""The gate's verdict: what each rule found, in words with its numbers, as the ledger keeps it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """What one rule found, and whether that lets the model in."""

    rule: str
    admitted: bool
    words: str


@dataclass(frozen=True)
class Verdict:
    """`warnings` do not decide; `asked` is the gate's section of params.yaml; `sets` are the images, by digest."""

    candidate: str
    current: str | None
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    sets: tuple[dict[str, Any], ...]
    asked: dict[str, Any]
    numbers: dict[str, Any]

    @property
    def admitted(self) -> bool:
        return all(finding.admitted for finding in self.findings)

    @property
    def headline(self) -> str:
        """The reason for a refusal, or for letting it in, in a line."""
        against = [finding.words for finding in self.findings if not finding.admitted]
        return "; ".join(against) if against else next((one.words for one in self.findings), "no rule was asked")

    def kept(self) -> dict[str, Any]:
        """What the ledger keeps."""
        return {"admitted": self.admitted, "headline": self.headline, **asdict(self)}

"""The machine and the programs that a run had around it, beside the baseline's."""

from dataclasses import dataclass

from runhive.report.parameters import Row, rows
from runhive.report.record import flatten
from runhive.report.summary import Summary


@dataclass(frozen=True)
class Environment:
    """What the run had around it, and the packages, each beside the baseline's."""

    facts: list[Row]
    packages: list[Row]


def environment(summary: Summary, baseline: Summary | None) -> Environment:
    """Put both side by side."""
    facts, packages = _surroundings(summary)
    before = _surroundings(baseline) if baseline and baseline.run.environment else None
    return Environment(rows(facts, before[0] if before else None), rows(packages, before[1] if before else None))


def _surroundings(summary: Summary) -> tuple[dict[str, str], dict[str, str]]:
    """Facts about machine and program, and the versions of packages."""
    found = summary.run.environment
    facts = {name: value for name, value in found.items() if name != "packages" and value not in (None, {})}
    packages = found.get("packages")
    return flatten(facts), flatten(packages) if isinstance(packages, dict) else {}

"""Parameters as rows, those that differ from the baseline's marked."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`before` is the baseline's value where it is another one; empty where the baseline had no such key."""

    key: str
    value: str
    differs: bool
    before: str = ""

    @property
    def group(self) -> str:
        """The section of params.yaml that holds the key; empty for one at the top."""
        return self.key.partition(".")[0] if "." in self.key else ""

    @property
    def name(self) -> str:
        """The key within its section."""
        return self.key.removeprefix(f"{self.group}.")


def rows(parameters: Mapping[str, str], baseline: Mapping[str, str] | None) -> list[Row]:
    """Rows in the order of params.yaml; a key that only the baseline has comes last, without a value."""
    if baseline is None:
        return [Row(key, value, False) for key, value in parameters.items()]
    here = [_row(key, value, baseline) for key, value in parameters.items()]
    gone = [Row(key, "", True, value) for key, value in baseline.items() if key not in parameters]
    return [*here, *gone]


def _row(key: str, value: str, baseline: Mapping[str, str]) -> Row:
    before = baseline.get(key)
    return Row(key, value, before != value, before or "") if before != value else Row(key, value, False)

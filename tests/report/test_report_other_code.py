"""Whether two runs had other code, on a ledger of runs that differ in their dvc.lock or in their commit alone."""

from pathlib import Path

import pygit2
import pytest
import yaml

from runhive.report.other_code import has_other_code
from runhive.report.summary import summarize
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event

IDS = ("20261101-000000-000000", "20261101-000100-000001")


def lock(code: str, weights: str = "aa", recorded: str = "bb") -> bytes:
    """A dvc.lock whose train stage depends on a module, and evaluate on what train made."""
    train = {"deps": [{"path": "train.py", "md5": code}], "outs": [{"path": "model", "md5": weights}]}
    evaluate = {"deps": [{"path": "model", "md5": weights}]}
    record = {"deps": [{"path": "record.py", "md5": recorded}]}
    return yaml.safe_dump({"stages": {"train": train, "evaluate": evaluate, "record": record}}).encode()


def ledger_of(folder: Path, *locks: bytes | None) -> Ledger:
    """Two runs of two commits with these locks."""
    pygit2.init_repository(str(folder))
    ledger = open_ledger(folder)
    for run_id, content in zip(IDS, locks, strict=True):
        started = Event("started", {"experiment": "bees", "code": {"tree": run_id[-1] * 40}})
        ledger.append(run_id, [started], {"dvc.lock": content} if content is not None else {})
    return ledger


@pytest.mark.parametrize(
    ("locks", "is_other"),
    [
        ((lock("11"), lock("11", weights="cc", recorded="dd")), False),
        ((lock("11"), lock("22")), True),
        ((lock("11"), None), True),
        ((lock("11"), b"stages: [torn"), True),
    ],
    ids=["another commit alone", "another module", "no lock, another commit", "a torn lock, another commit"],
)
def test_code_is_what_the_stages_depend_on_and_where_that_is_not_known_the_commit(
    locks: tuple[bytes, bytes | None], is_other: bool, tmp_path: Path
) -> None:
    ledger = ledger_of(tmp_path, *locks)
    one, other = (summarize(ledger.run(run_id)) for run_id in IDS)

    assert has_other_code(one, other, ledger) is is_other

"""The Python of docs/how-to/notebook.md runs, on a ledger that looks like real work."""

import re
import sys
from pathlib import Path

import pytest

from runhive.tracking.ledger.ledger import Ledger

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/how-to/notebook.md"
sys.path.insert(0, str(Path(__file__).parent / "report"))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    import sample_ledger

    return sample_ledger.make_ledger(tmp_path_factory.mktemp("sample"))


def test_the_notebook_s_blocks_run_one_after_the_other(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ledger.repository.workdir)
    monkeypatch.setenv("MPLBACKEND", "agg")
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {"__name__": "notebook"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)

    assert len(blocks) >= 6
    assert len(names["best"]) == 6  # type: ignore[arg-type]  # three of each experiment
    assert names["run"].state == "completed"  # type: ignore[attr-defined]
    assert Path("curves.png").stat().st_size > 1000

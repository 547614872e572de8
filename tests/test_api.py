"""The Python API: runs of one's own scripts, alone and under `runhive run`."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Run

SOURCE = Path(__file__).parents[1] / "pipeline"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Of a repository that is the current folder."""
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    return open_ledger(tmp_path)


def script(body: str, *runner: str) -> list[str]:
    Path("any.py").write_text("import runhive\n" + body)
    return [*runner, sys.executable, "any.py"]


def under_runhive(body: str) -> list[str]:
    return script(body, sys.executable, "-m", "runhive", "run", "--")


def run(words: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, capture_output=True, text=True)


def only(ledger: Ledger) -> Run:
    (found,) = ledger.runs()
    return found


LOGS = """
with runhive.start(experiment="hive", name="first", params={"lr": 0.1}, tags=["try"]) as run:
    for step in range(3):
        run.log({"val.accuracy": step / 4}, step=step, loss=1 / (step + 1))
    run.log(r2=0.5)
"""


@pytest.mark.parametrize("words", [script, under_runhive])
def test_what_a_script_logs_is_in_its_one_run(ledger: Ledger, words: "type[script]") -> None:
    done = run(words(LOGS))

    found = only(ledger)
    assert done.returncode == 0, done.stderr
    assert (found.state, found.experiment, found.name, found.tags) == ("completed", "hive", "first", ("try",))
    assert found.params["lr"] == 0.1
    assert found.metrics == {"val.accuracy": 0.5, "loss": pytest.approx(1 / 3), "r2": 0.5}
    table = (ledger.file(found.run_id, "scalars.csv") or b"").decode().splitlines()
    assert table[0] == "step,name,value,seconds"
    assert [line.split(",")[:3] for line in table[1:3]] == [["0", "val.accuracy", "0.0"], ["0", "loss", "1.0"]]
    assert len(table) == 7


def test_images_tables_matrices_and_files_are_kept(ledger: Ledger) -> None:
    body = """
import numpy as np, pandas as pd, PIL.Image
Path = __import__("pathlib").Path
Path("weights.bin").write_bytes(bytes(300_000))
with runhive.start() as run:
    run.image("floats", np.full((4, 5, 3), 0.5))
    run.image("pil", PIL.Image.new("RGB", (5, 4)))
    run.table("rows", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    run.table("frame", pd.DataFrame({"a": [1, 2]}))
    run.confusion_matrix(["bee", "ant", "bee"], ["bee", "bee", "bee"], classes=["ant", "bee"])
    run.file("weights.bin")
"""
    done = run(script(body))

    found = only(ledger)
    assert done.returncode == 0, done.stderr
    kinds = {name: told["kind"] for name, told in found.files.items()}
    assert kinds == {
        "floats": "image", "pil": "image", "rows": "table", "frame": "table", "confusion": "confusion",
        "weights.bin": "file",
    }  # fmt: skip
    kept = {name: ledger.file(found.run_id, told["ledger"]) for name, told in found.files.items() if told["ledger"]}
    assert kept["rows"] == b"a,b\n1,x\n2,y\n"
    assert json.loads(kept["confusion"] or "")["confusion"] == [[0, 1], [0, 2]]
    assert (kept["floats"] or b"").startswith(b"\x89PNG")
    assert found.files["weights.bin"]["ledger"] is None


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("run.log(step=1, loss='low')", "loss: 'low' is no number"),
        ("run.image('a', 'missing.png')", "a: this is no image"),
        ("run.file('missing.bin')", "missing.bin cannot be read"),
        ("run.table('a', [{'b': 1}, {'c': 1}])", "a: the rows have different keys"),
        ("run.confusion_matrix(['wasp'], ['bee'], classes=['bee'])", "'wasp' is not in classes"),
    ],
)
def test_a_mistake_names_what_is_wrong_and_fails_the_run(ledger: Ledger, body: str, error: str) -> None:
    done = run(script(f"with runhive.start() as run:\n    {body}\n"))

    assert done.returncode == 1
    assert error in done.stderr
    found = only(ledger)
    assert found.state == "failed"
    assert error in str(found.cause)


def test_an_exception_fails_the_run_with_its_traceback(ledger: Ledger) -> None:
    run(script("with runhive.start() as run:\n    run.log(step=1, loss=0.5)\n    raise KeyError('no honey')\n"))

    found = only(ledger)
    assert (found.state, found.cause) == ("failed", "KeyError: 'no honey'")
    assert found.traceback is not None and "any.py" in found.traceback
    assert found.metrics == {"loss": 0.5}


@pytest.mark.parametrize(("code", "state"), [("0", "completed"), ("3", "failed")])
def test_the_end_of_the_program_is_the_end_of_its_run(ledger: Ledger, code: str, state: str) -> None:
    done = run(script(f"import sys\nwith runhive.start() as run:\n    sys.exit({code})\n"))

    assert (done.returncode, only(ledger).state) == (int(code), state)


@pytest.mark.parametrize(
    ("number", "state"), [(signal.SIGTERM, "canceled"), (signal.SIGINT, "canceled"), (signal.SIGKILL, "lost")]
)
def test_what_was_logged_survives_a_signal(ledger: Ledger, number: signal.Signals, state: str) -> None:
    body = "import time\nwith runhive.start() as run:\n    run.log(step=7, loss=0.25)\n    print('on', flush=True)\n"
    process = subprocess.Popen(
        script(body + "    time.sleep(600)\n"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        process.send_signal(number)
    run([sys.executable, "-m", "runhive", "runs", "list"])

    found = only(ledger)
    assert found.state == state
    assert found.metrics == {"loss": 0.25}
    assert (ledger.file(found.run_id, "scalars.csv") or b"").splitlines()[1].startswith(b"7,loss,0.25,")


def test_a_loss_that_is_no_number_is_kept_as_it_is_but_is_no_metric(ledger: Ledger) -> None:
    run(script("with runhive.start() as run:\n    run.log(step=1, loss=float('nan'))\n"))

    found = only(ledger)
    assert (found.state, found.metrics) == ("completed", {})
    assert b"1,loss,nan," in (ledger.file(found.run_id, "scalars.csv") or b"")


def test_of_very_many_numbers_the_ledger_has_every_nth_step_and_the_cache_all(ledger: Ledger, tmp_path: Path) -> None:
    body = "with runhive.start() as run:\n    for n in range(30_000):\n        run.log(step=n, a=n, b=-n)\n"
    run(script(body))

    found = only(ledger)
    rows = (ledger.file(found.run_id, "scalars.csv") or b"").splitlines()
    assert (len(rows), rows[3][:4]) == (1 + 2 * 10_000, b"3,a,")
    md5 = found.files["scalars.csv"]["md5"]
    whole = tmp_path / ".runhive/cache/files/md5" / md5[:2] / md5[2:]
    assert len(whole.read_bytes().splitlines()) == 1 + 2 * 30_000
    assert found.metrics == {"a": 29_999, "b": -29_999}


def test_a_damaged_outbox_stops_nobody(ledger: Ledger, tmp_path: Path) -> None:
    body = "import os\nwith runhive.start() as run:\n    run.log(step=1, loss=0.5)\n    os.kill(os.getpid(), 9)\n"
    run(script(body))
    (box,) = (tmp_path / ".runhive/runs").iterdir()
    with (box / "scalars.jsonl").open("a") as file:
        file.write('{"step": 2, "val\n[]\n')
    (box / "events").mkdir(exist_ok=True)
    (box / "events" / "0.json").write_text("{")
    done = run([sys.executable, "-m", "runhive", "runs", "list"])

    assert done.returncode == 0
    assert (only(ledger).state, only(ledger).metrics) == ("lost", {"loss": 0.5})


def test_history_and_run_read_the_ledger(ledger: Ledger) -> None:
    run(script(LOGS))
    body = """
table = runhive.history()
print(list(table["metrics.r2"]), runhive.run(table["run_id"][0]).metrics["r2"])
"""
    done = run(script(body))

    assert done.stdout == "[0.5] 0.5\n", done.stderr


def test_importing_runhive_loads_nothing_heavy() -> None:
    words = "import sys, runhive; print(sorted({'numpy', 'pandas', 'pygit2', 'torch'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", words], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True
    )

    assert done.stdout == "[]\n"


REGRESSION = """
from pathlib import Path
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split

data = load_diabetes()
learned, held, y, truth = train_test_split(data.data, data.target, random_state=0)
with runhive.start(experiment="diabetes", params={"alphas": [0.01, 0.1, 1.0]}) as run:
    for step, alpha in enumerate([0.01, 0.1, 1.0]):
        model = Ridge(alpha=alpha).fit(learned, y)
        run.log({"val.r2": model.score(held, truth)}, step=step, alpha=alpha)
    run.table("coefficients", [{"feature": f, "weight": w} for f, w in zip(data.feature_names, model.coef_)])
Path("outputs").mkdir()
Path("outputs/predictions.csv").write_text("\\n".join(map(str, model.predict(held))))
"""


def test_a_tabular_regression_is_a_run_like_any_other(ledger: Ledger) -> None:
    done = run(under_runhive(REGRESSION))

    found = only(ledger)
    assert done.returncode == 0, done.stderr
    assert (found.state, found.experiment) == ("completed", "diabetes")
    assert 0.3 < found.metrics["val.r2"] < 0.5
    assert set(found.files) == {"coefficients", "outputs/predictions.csv"}

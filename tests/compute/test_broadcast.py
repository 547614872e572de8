"""What a run on a runner tells in the DVC remote: nothing elsewhere, its last lines there, never a secret."""

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clones import Clone

from runhive.errors import RunhiveError
from runhive.tracking.life.broadcast import LINES, NUMBERS_FILE, Broadcast, broadcasting, note_numbers, parse
from runhive.tracking.life.outbox import Outbox, outbox
from runhive.tracking.life.silence import forget_silent
from runhive.tracking.life.teller import Listener, Teller
from runhive.tracking.storage.remote_file import RemoteFolder, default_remote

RUN = "20261125-120200-7f3a9c"
NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def store(clone: Clone) -> Path:
    """The folder that is the clone's default DVC remote."""
    folder = clone.root.parent / "store"
    (clone.root / ".dvc").mkdir()
    config = f"[core]\n    remote = store\n['remote \"store\"']\n    url = {folder}\n"
    (clone.root / ".dvc" / "config").write_text(config)
    return folder


@pytest.fixture
def box(clone: Clone) -> Outbox:
    return outbox(clone.root, RUN)


def on_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_RUN_ID", "4711")


def listener(box: Outbox) -> Listener:
    return Listener(box, box.folder / "numbers.json", RUN, 1, "train")


def told(store: Path) -> Broadcast:
    word = parse((store / "runhive" / "live" / "4711.json").read_bytes())
    assert word is not None
    return word


def test_a_run_on_a_runner_tells_its_lines_and_numbers(
    clone: Clone, store: Path, box: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_runner(monkeypatch)
    log = box.new_log("train")
    with broadcasting(clone.root, RUN, 2, "train"):
        log.write_text("epoch 1/4\nepoch 2/4\nhalf a li")
        note_numbers({"epoch": 2, "train_loss": 1.5})

    word = told(store)
    assert (word.run_id, word.attempt, word.phase, word.printed) == (RUN, 2, "train", 2)
    assert word.lines == ["epoch 1/4", "epoch 2/4"]
    assert word.metrics == {"epoch": 2.0, "train_loss": 1.5}
    assert not list((clone.root / ".runhive" / "numbers").iterdir())
    assert NUMBERS_FILE not in os.environ


@pytest.mark.parametrize("missing", ["GITHUB_ACTIONS", "GITHUB_RUN_ID", "remote"])
def test_elsewhere_and_without_a_remote_nothing_is_started(
    clone: Clone, store: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    on_runner(monkeypatch)
    if missing == "remote":
        (clone.root / ".dvc" / "config").write_text("")
    else:
        monkeypatch.delenv(missing)
    with broadcasting(clone.root, RUN, 1, "train"):
        assert NUMBERS_FILE not in os.environ

    assert not store.exists()


def test_a_remote_that_refuses_costs_a_line_and_not_the_run(
    clone: Clone, store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    on_runner(monkeypatch)
    store.write_text("a file, where the folder should be")
    with broadcasting(clone.root, RUN, 1, "train"):
        pass

    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("runhive: no live lines can be sent (")
    assert line.endswith("): the run goes on")


def test_the_last_lines_are_told_with_the_count_of_all(box: Outbox) -> None:
    heard = listener(box)
    log = box.new_log("train")
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    first = heard.hear()
    with log.open("a") as file:
        file.write("one more\nand a ha")
    second = heard.hear()
    with log.open("a") as file:
        file.write("lf\n")

    assert (first.printed, len(first.lines), first.lines[-1]) == (100, LINES, "line 99")
    assert (second.printed, second.lines[-1]) == (101, "one more")
    assert heard.hear().lines[-2:] == ["one more", "and a half"]


def test_the_log_of_another_phase_is_not_told_twice(box: Outbox) -> None:
    box.new_log("fetch").write_text("images\n")
    heard = listener(box)

    assert heard.hear().lines == []


def test_secrets_and_long_lines_and_what_is_no_number_are_not_told(box: Outbox) -> None:
    box.new_log("train").write_text(f"token ghp_{'a1B2' * 9}\n{'x' * 5000}\n")
    box.scalars.write_text('{"step": 1, "seconds": 1, "values": {"loss": NaN, "best": 2}}\n')
    word = listener(box).hear()

    assert word.lines == ["token ***", "x" * 300]
    assert word.metrics == {"best": 2.0}
    assert parse(word.model_dump_json().encode()) == word


def test_what_is_unchanged_is_not_written_again(store: Path, clone: Clone, box: Outbox) -> None:
    teller, heard = Teller(default_remote(clone.root), "live/4711.json"), listener(box)
    box.new_log("train").write_text("one\n")
    teller.tell(heard.hear())
    before = (store / "runhive" / "live" / "4711.json").stat().st_mtime_ns
    teller.tell(heard.hear())

    assert (store / "runhive" / "live" / "4711.json").stat().st_mtime_ns == before


def test_a_reader_sees_whole_words_while_they_are_written(store: Path, clone: Clone) -> None:
    words = [
        Broadcast(run_id=RUN, attempt=1, phase="train", time=NOW, printed=size, lines=["x" * 300] * size, metrics={})
        for size in (1, 30)
    ]
    remote: RemoteFolder = default_remote(clone.root)
    remote.write("live/4711.json", words[0].model_dump_json().encode())
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            for word in words:
                remote.write("live/4711.json", word.model_dump_json().encode())

    writer = threading.Thread(target=write)
    writer.start()
    reader = default_remote(clone.root)
    seen = [parse(reader.read("live/4711.json", 64_000)) for _ in range(200)]
    over.set()
    writer.join()

    assert None not in seen


def test_the_teller_loads_no_torch(clone: Clone) -> None:
    script = "import sys, runhive.tracking.life.teller; print(json.dumps('torch' in sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"import json; {script}"], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) is False


def test_words_of_runs_that_are_silent_for_a_day_are_removed_and_those_of_others_stay(
    clone: Clone, store: Path
) -> None:
    live = store / "runhive" / "live"
    word = Broadcast(run_id=RUN, attempt=1, phase="train", time=datetime.now(UTC), printed=0, lines=[], metrics={})
    silent = word.model_copy(update={"time": word.time - timedelta(days=1, minutes=1)})
    live.mkdir(parents=True)
    for number, content in enumerate([word.model_dump_json(), silent.model_dump_json(), "torn {"]):
        (live / f"{number}.json").write_text(content)

    assert forget_silent(clone.root, "store", really=False) == 2
    assert len(list(live.iterdir())) == 3
    assert forget_silent(clone.root, "store", really=True) == 2
    assert [path.name for path in live.iterdir()] == ["0.json"]
    assert forget_silent(clone.root, "store", really=True) == 0


def test_a_remote_without_live_lines_or_of_another_name(clone: Clone, store: Path) -> None:
    assert forget_silent(clone.root, "store", really=True) == 0
    with pytest.raises(RunhiveError, match="there is no DVC remote other"):
        forget_silent(clone.root, "other", really=True)

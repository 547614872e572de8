"""`runhive run -- COMMAND`: real scripts, their output, ends and files."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.life.intake import LOG_BYTES
from runhive.tracking.life.outbox import outbox
from runhive.tracking.storage.artifacts import cached_path

TOKEN = "ghp_" + "a1B2" * 9  # in two parts, so that no scanner takes this file for a leak
Script = Callable[[str], list[str]]


@pytest.fixture
def script(repository: Path) -> Script:
    """Write a script, and return the words that run it under `runhive run`."""

    def write(body: str, *options: str) -> list[str]:
        (repository / "any.py").write_text(body)
        return [sys.executable, "-m", "runhive", "run", *options, "--", sys.executable, "any.py"]

    return write


def run(words: list[str], *more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*words, *more], capture_output=True, text=True)


def only(ledger: Ledger) -> Run:
    (found,) = ledger.runs()
    return found


def started(words: list[str], ledger: Ledger, line: str) -> "subprocess.Popen[str]":
    """Start *words* and wait until the script printed *line*."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"
    return process


def test_a_script_as_it_is_becomes_a_run(script: Script, ledger: Ledger, repository: Path) -> None:
    (repository / "params.yaml").write_text("experiment: hive\nlr: 0.1\n")
    body = """
import sys
from pathlib import Path
print("words", *sys.argv[1:])
print("warned", file=sys.stderr)
Path("outputs/deep").mkdir(parents=True)
Path("outputs/deep/small.txt").write_text("small")
Path("outputs/large.bin").write_bytes(bytes(300_000))
Path("logs").mkdir()
Path("logs/own.log").write_text("own words")
"""
    done = run(script(body), "--lr", "0.1")

    found = only(ledger)
    assert (done.returncode, done.stdout) == (0, "words --lr 0.1\n")
    assert (found.state, found.exit_code, found.experiment, found.params["lr"]) == ("completed", 0, "hive", 0.1)
    assert found.command[1:] == ("any.py", "--lr", "0.1")
    assert found.launcher["command"] == "runhive run"
    log = (ledger.file(found.run_id, "log.txt") or b"").splitlines()
    assert sorted(log) == [b"== run ==", b"warned", b"words --lr 0.1"]
    assert set(found.files) == {"log.txt", "logs/own.log", "outputs/deep/small.txt", "outputs/large.bin"}
    assert ledger.file(found.run_id, found.files["outputs/deep/small.txt"]["ledger"]) == b"small"
    large = found.files["outputs/large.bin"]
    assert large["ledger"] is None
    assert cached_path(repository, large["md5"]).read_bytes() == bytes(300_000)
    assert found.phases["run"] > 0
    assert found.used["cpu_seconds"] > 0
    table = ledger.file(found.run_id, "system.csv")
    assert table is not None and table.startswith(b"time,phase,cpu_percent,memory_bytes,")
    packages = ledger.file(found.run_id, "packages.txt")
    assert packages is not None and b"\npygit2==" in packages


def test_files_that_were_there_before_are_not_the_runs(script: Script, ledger: Ledger, repository: Path) -> None:
    (repository / "outputs").mkdir()
    for name in ("old.txt", "changed.txt"):
        (repository / "outputs" / name).write_text("before")
    secret = repository.parent / "secret.txt"
    secret.write_text("not yours")
    body = """
import os
open("outputs/changed.txt", "a").write("!")
os.symlink("../../secret.txt", "outputs/link.txt")
os.symlink("../..", "outputs/folder")
open(b"outputs/\\xff<b>.txt", "w").write("x")
"""
    run(script(body))

    assert set(only(ledger).files) - {"log.txt"} == {"outputs/changed.txt", "outputs/\ufffd<b>.txt"}


def test_what_json_cannot_hold_is_text_and_stops_no_script(script: Script, ledger: Ledger, repository: Path) -> None:
    (repository / "params.yaml").write_text("lr: .nan\nmost: .inf\n1: one\nday: 2026-11-23\n")
    done = subprocess.run(
        [*map(os.fsencode, script("import sys; print(len(sys.argv))")), b"\xff\xfe"], capture_output=True
    )

    found = only(ledger)
    assert (done.returncode, done.stdout.strip(), found.state) == (0, b"2", "completed")
    assert found.params == {"lr": "nan", "most": "inf", "1": "one", "day": "2026-11-23"}
    assert found.command[-1] == "\N{REPLACEMENT CHARACTER}" * 2


def test_a_failed_script_tells_its_exit_code_and_why(script: Script, ledger: Ledger) -> None:
    done = run(script("def forage():\n    raise ValueError('no honey')\nforage()\n"))

    found = only(ledger)
    assert done.returncode == 1
    assert (found.state, found.cause) == ("failed", "exited with code 1: ValueError: no honey")
    assert found.traceback is not None and "in forage" in found.traceback


def test_the_last_line_on_stderr_is_the_cause_whatever_stdout_says_after_it(script: Script, ledger: Ledger) -> None:
    run(script("import sys\nprint('no flowers\\n', file=sys.stderr)\nprint('bye')\nsys.exit(2)"))

    assert only(ledger).cause == "exited with code 2: no flowers"


def test_the_experiment_is_named_after_the_script_or_the_program(script: Script, ledger: Ledger) -> None:
    run(script(""))
    run([sys.executable, "-m", "runhive", "run", "--", "sh", "-c", "exit 0"])

    assert [found.experiment for found in ledger.runs()] == ["sh", "any"]


def test_the_exit_code_is_the_scripts_own(script: Script, ledger: Ledger) -> None:
    assert run(script("import sys; sys.exit(7)")).returncode == 7
    assert only(ledger).exit_code == 7


def test_a_killed_script_is_a_failed_run_that_names_the_signal(script: Script, ledger: Ledger) -> None:
    done = run(script("import os; os.kill(os.getpid(), 9)"))

    assert done.returncode == 137
    assert "killed by SIGKILL, as the kernel does when memory runs out" in str(only(ledger).cause)


def test_a_program_that_is_none_is_no_run(ledger: Ledger, repository: Path) -> None:
    done = run([sys.executable, "-m", "runhive", "run", "--", "no-such-program"])

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "'no-such-program' is not a program here" in done.stderr
    assert ledger.runs() == []


@pytest.mark.parametrize(("option", "value"), [("--tag", "x" * 100_000), ("--tag", ""), ("--name", "x" * 201)])
def test_a_name_or_tag_that_is_none_is_refused_before_the_script_runs(
    script: Script, ledger: Ledger, repository: Path, option: str, value: str
) -> None:
    done = run(script("open('ran', 'w')", option, value))

    assert (done.returncode, len(done.stderr.splitlines())) == (1, 2)
    assert "event 'started' cannot be recorded" in done.stderr
    assert ledger.runs() == []
    assert not (repository / "ran").exists()
    assert list((repository / ".runhive/runs").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_script_and_cancels_the_run(
    script: Script, ledger: Ledger, number: signal.Signals
) -> None:
    body = "import signal, sys, time\nprint('on', flush=True)\ntry:\n    time.sleep(600)\n"
    body += "except KeyboardInterrupt:\n    print('stopped'); sys.exit(130)\n"
    with started(script(body), ledger, "on") as process:
        process.send_signal(number)
        code = process.wait()

    found = only(ledger)
    assert code == 128 + number
    assert (found.state, found.cause) == ("canceled", f"stopped by {number.name}")


def test_a_killed_runner_takes_its_script_along_and_the_next_command_calls_the_run_lost(
    script: Script, ledger: Ledger, repository: Path
) -> None:
    body = "import time\nprint('last words', flush=True)\ntime.sleep(600)\n"
    with started(script(body), ledger, "last words") as process:
        process.kill()
        assert process.stdout is not None
        assert process.stdout.read() == "", "the script lives on"

    assert only(ledger).state == "running"
    run([sys.executable, "-m", "runhive", "runs", "list"])

    found = only(ledger)
    assert found.state == "lost"
    assert found.heartbeat is not None
    assert (ledger.file(found.run_id, "log.txt") or b"").endswith(b"last words\n")
    assert not outbox(repository, found.run_id).folder.exists()


def test_a_long_log_is_whole_in_the_cache_and_its_end_in_the_ledger(
    script: Script, ledger: Ledger, repository: Path
) -> None:
    run(script("for n in range(20_000): print('line', n)"))

    found = only(ledger)
    end = ledger.file(found.run_id, "log.txt")
    assert end is not None and len(end) < LOG_BYTES + 100
    assert end.endswith(b"line 19999\n")
    whole = cached_path(repository, found.files["log.txt"]["md5"]).read_text()
    assert whole == "== run ==\n" + "".join(f"line {n}\n" for n in range(20_000))
    listed = run([sys.executable, "-m", "runhive", "runs", "files", "latest"]).stdout
    assert re.search(r"^log\.txt .* DVC ", listed, re.MULTILINE)


def test_what_a_run_left_can_be_downloaded_in_a_repository_without_dvc(
    script: Script, ledger: Ledger, tmp_path: Path
) -> None:
    body = "import os; os.mkdir('outputs'); open('outputs/large.bin', 'wb').write(bytes(300_000))\n"
    run(script(body + "for n in range(20_000): print('line', n)"))
    done = run([sys.executable, "-m", "runhive", "runs", "download", "latest", "--to", str(tmp_path / "to")])

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "to/outputs/large.bin").read_bytes() == bytes(300_000)
    assert (tmp_path / "to/log.txt").read_text().startswith("== run ==\nline 0\n")


def test_a_planted_token_reaches_no_object_of_the_ledger(
    script: Script, ledger: Ledger, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "model.py").write_text(f"layers = 18\nTOKEN = '{TOKEN}'\n")
    (repository / "params.yaml").write_text(f"api_key: {TOKEN}\n")
    monkeypatch.setenv("HIVE_PASSWORD", "queen of the hive")
    body = f"""
from pathlib import Path
print("login {TOKEN}", "queen of the hive")
Path("outputs").mkdir()
Path("outputs/a.txt").write_text("{TOKEN}")
Path("outputs/b.txt").write_text("{TOKEN}\\n" * 30_000)
raise ValueError("{TOKEN}")
"""
    run(script(body, "--name", TOKEN), "--token", TOKEN)

    found = only(ledger)
    assert found.code["patch"]["masked"] is True
    patch = ledger.file(found.run_id, "changes.patch")
    assert patch is not None and b"+TOKEN = '***'\n" in patch
    everything = subprocess.check_output(["git", "cat-file", "--batch-all-objects", "--batch", "--unordered"])
    cache = b"".join(path.read_bytes() for path in (repository / ".runhive").rglob("*") if path.is_file())
    for secret in (TOKEN, "queen of the hive"):
        assert secret.encode() not in everything
        assert secret.encode() not in cache


@pytest.mark.parametrize("runner", [[sys.executable, "-m", "runhive", "run", "--tag", TOKEN, "--"], []])
def test_a_token_in_any_name_reaches_no_object_of_the_ledger(
    runner: list[str], ledger: Ledger, repository: Path
) -> None:
    (repository / "any.py").write_text(f"""
import runhive
from pathlib import Path
from PIL import Image
token = "{TOKEN}"
Path("outputs").mkdir()
Path(f"outputs/{{token}}.txt").write_text("x")
with runhive.start(experiment=token, name=token, params={{token: 1, "list": [token]}}, tags=[token]) as run:
    run.log({{token: 1.0}}, step=1)
    run.log({{token: 2.0}})
    run.image(token, Image.new("L", (2, 2)))
    run.table(token, [{{token: token}}])
    run.confusion_matrix([token], [token], classes=[token])
    run.file(f"outputs/{{token}}.txt")
    raise ValueError(token)
""")
    run([*runner, sys.executable, "any.py"])
    for words in (["note", "latest", TOKEN], ["tag", "latest", f"+{TOKEN}"], ["name", "latest", TOKEN]):
        run([sys.executable, "-m", "runhive", "runs", *words])

    found = only(ledger)
    assert (found.state, found.experiment, found.name, found.notes) == ("failed", "***", "***", "***")
    assert found.metrics == {"***": 2.0}
    everything = subprocess.check_output(["git", "cat-file", "--batch-all-objects", "--batch", "--unordered"])
    left = b"".join(path.read_bytes() for path in (repository / ".runhive").rglob("*") if path.is_file())
    assert TOKEN.encode() not in everything + left


def test_it_works_in_a_linked_worktree(
    script: Script, ledger: Ledger, repository: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = script("print('here')")
    git(repository, "worktree", "add", "-q", "../tree")
    tree = repository.parent / "tree"
    (tree / "any.py").write_text("print('there')")
    monkeypatch.chdir(tree)
    run(words)

    found = only(ledger)
    assert (found.state, found.code["branch"]) == ("completed", "tree")
    assert ledger.file(found.run_id, "log.txt") == b"== run ==\nthere\n"


def test_a_run_knows_what_started_it_and_how_long_it_waited(
    script: Script, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNHIVE_QUEUED_AT", "2026-01-01T00:00:00+00:00")
    monkeypatch.setenv("RUNHIVE_PARENT", "20261123-142233-7f3a9c")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://git.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "bees/hive")
    monkeypatch.setenv("GITHUB_RUN_ID", "17")
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "4")
    run(script("", "--tag", "b", "--tag", "a", "--name", "shown"))

    found = only(ledger)
    assert found.launcher["url"] == "https://git.example/bees/hive/actions/runs/17"
    assert (found.nodes, found.parent, found.tags, found.name) == (4, "20261123-142233-7f3a9c", ("a", "b"), "shown")
    assert found.phases["queued"] > 0
    assert found.began["queued"].startswith("2026-01-01")


def test_the_same_inputs_have_the_same_digest(script: Script, ledger: Ledger, repository: Path) -> None:
    words = script("")
    run(words)
    run(words)
    run(words, "--other")

    other, second, first = ledger.runs()
    assert first.input_digest == second.input_digest != other.input_digest


def test_a_laptop_that_looks_at_a_live_run_of_another_machine_leaves_it_alone(
    script: Script, ledger: Ledger, repository: Path, git: Callable[..., str], tmp_path: Path
) -> None:
    body = "import time\nprint('on', flush=True)\ntime.sleep(600)\n"
    laptop = tmp_path / "laptop"
    with started(script(body), ledger, "on") as process:
        git(repository, "clone", "-q", str(repository), str(laptop))
        git(laptop, "fetch", "-q", "origin", "refs/runs/main:refs/runs/main")
        done = subprocess.run(
            [sys.executable, "-m", "runhive", "runs", "list"], cwd=laptop, capture_output=True, text=True
        )
        process.terminate()

    assert "running" in done.stdout
    assert "lost" not in done.stdout


def test_two_runs_of_one_second_are_two(script: Script, ledger: Ledger) -> None:
    words = script("import time; time.sleep(0.2)")
    processes = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(3)]
    for process in processes:
        process.wait()

    assert [found.state for found in ledger.runs()] == ["completed"] * 3
    assert os.listdir(ledger.repository.workdir).count(".runhive") == 1  # noqa: PTH208

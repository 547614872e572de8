"""What a real process prints arrives at both ends, however it ends."""

import os
import pty
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


def program(body: str) -> list[str]:
    head = "import os, subprocess, sys\nfrom pathlib import Path\nfrom runhive.tracking.life.capture import captured\n"
    return [sys.executable, "-c", head + textwrap.dedent(body)]


def run(tmp_path: Path, body: str) -> "tuple[subprocess.CompletedProcess[str], str]":
    done = subprocess.run(program(body), cwd=tmp_path, capture_output=True, text=True)
    return done, (tmp_path / "log.txt").read_text()


def test_both_streams_and_those_of_children_are_kept_and_still_printed(tmp_path: Path) -> None:
    done, log = run(
        tmp_path,
        """
        with captured(Path("log.txt")):
            print("from python", flush=True)
            subprocess.run(["sh", "-c", "echo from a child; echo an error >&2"])
            os.write(1, b"from C\\n")
            print("unflushed")
        print("after")
        """,
    )

    assert done.stdout == "from python\nfrom a child\nfrom C\nunflushed\nafter\n"
    assert done.stderr == "an error\n"
    assert sorted(log.splitlines()) == ["an error", "from C", "from a child", "from python", "unflushed"]


def test_streams_that_go_to_one_place_keep_the_order_of_their_lines(tmp_path: Path) -> None:
    body = """
    with captured(Path("log.txt")):
        for number in range(200):
            os.write(1 + number % 2, b"%d\\n" % number)
    """
    done = subprocess.run(program(body), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    in_order = "".join(f"{number}\n" for number in range(200))
    assert (done.stdout, (tmp_path / "log.txt").read_text()) == (in_order, in_order)


@pytest.mark.parametrize("end", ["os._exit(3)", f"os.kill(os.getpid(), {signal.SIGKILL:d})"])
def test_what_was_printed_before_a_sudden_end_is_kept(tmp_path: Path, end: str) -> None:
    done, log = run(tmp_path, f"with captured(Path('log.txt')):\n    print('last words', flush=True)\n    {end}")

    assert done.returncode != 0
    assert (done.stdout, log) == ("last words\n", "last words\n")


def test_an_error_in_the_block_goes_on_and_the_streams_are_back(tmp_path: Path) -> None:
    done, log = run(tmp_path, "with captured(Path('log.txt')):\n    print('before')\n    raise ValueError('no honey')")

    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: no honey\n")
    assert log == "before\n"


def test_a_log_that_cannot_be_written_costs_the_log_and_not_the_program(tmp_path: Path) -> None:
    done = subprocess.run(
        program("with captured(Path('/dev/full')):\n    print('a' * 9, flush=True)\n    print('b', flush=True)"),
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "aaaaaaaaa\nb\n")


def test_a_child_that_lives_on_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    done, log = run(
        tmp_path,
        """
        import runhive.tracking.life.capture
        runhive.tracking.life.capture.LINGER_SECONDS = 0.1
        with captured(Path("log.txt")):
            child = subprocess.Popen(["sleep", "600"])
            print("done", flush=True)
        print("over", flush=True)
        child.kill()
        """,
    )

    assert done.returncode == 0
    assert (done.stdout, log) == ("done\nover\n", "done\n")


def test_a_terminal_stays_a_terminal_of_its_size(tmp_path: Path) -> None:
    body = """
    with captured(Path("log.txt")):
        print(sys.stdout.isatty(), os.get_terminal_size().columns, "\\033[1mbold\\033[0m")
    """
    master, slave = pty.openpty()
    subprocess.run(["stty", "cols", "77"], stdin=slave, check=True)
    with subprocess.Popen(program(body), cwd=tmp_path, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        shown = b""
        while not shown.endswith(b"\n"):
            shown += os.read(master, 1000)
        process.wait()
    os.close(master)

    assert shown == b"True 77 \033[1mbold\033[0m\r\n"
    assert (tmp_path / "log.txt").read_text() == "True 77 bold\n"

"""Which processes may train together, and what those that may not are told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from photos import make_photos

from runhive.errors import RunhiveError
from runhive.formats.manifest import read_manifest
from runhive.params import load_params
from runhive.stages import paths, refusal
from runhive.stages.alike import APART_SECONDS, facts, require_alike

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def leader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The facts of a process in a repository whose network is its own code."""
    photos = make_photos(tmp_path / "photos", 4, 2, "model.arch=own:net")
    (photos.root / "own.py").write_text("def net(classes): ...")
    pipeline = photos.root / paths.PIPELINE
    pipeline.write_text(pipeline.read_text().replace("deps: [", "deps: ['own.py', "))
    monkeypatch.chdir(photos.root)
    return facts(load_params(paths.PARAMS), read_manifest(paths.MANIFEST), clock=1e9)


def changed(content: bytes, change: Change) -> bytes:
    told = json.loads(content)
    change(told)
    return json.dumps(told).encode()


def refused(*of_each: bytes, leader: int = 0) -> str:
    with pytest.raises(RunhiveError) as caught:
        require_alike(of_each, leader)
    return str(caught.value)


def test_processes_of_other_machines_with_the_same_inputs_may_train_together(leader: bytes) -> None:
    def elsewhere(told: dict[str, Any]) -> None:
        told["machine"] = "elsewhere"
        told["clock"] += APART_SECONDS - 1

    require_alike([leader, changed(leader, elsewhere)], 0)


@pytest.mark.parametrize("name", ["params.yaml: train.lr", "data/manifest.csv", "own.py", "torch", "requirements.lock"])
def test_what_differs_is_named(leader: bytes, name: str) -> None:
    other = changed(leader, lambda told: told["inputs"].update({name: "another"}))

    assert f", which keeps the run, in {name}: bring all machines to one commit" in refused(leader, leader, other)


def test_code_that_one_of_them_lacks_differs(leader: bytes) -> None:
    assert "in own.py: bring" in refused(leader, changed(leader, lambda told: told["inputs"].pop("own.py")))
    assert "in more.py: bring" in refused(leader, changed(leader, lambda told: told["inputs"].update({"more.py": 1})))


def test_many_differences_and_hostile_names_are_one_short_line(leader: bytes) -> None:
    def change(told: dict[str, Any]) -> None:
        told["machine"] = "bad\n\x1b[31mhost"
        told["inputs"].update({f"{index}\n.py": "new" for index in range(9)})

    said = refused(changed(leader, change), leader, leader=1)

    assert r"process 0 on bad\n\x1b[31mhost differs from process 1 on " in said
    assert r"in 0\n.py, 1\n.py, 2\n.py and 6 more: bring" in said


@pytest.mark.parametrize(("seconds", "said"), [(3600.0, "3600 s ahead of"), (-3600.0, "3600 s behind")])
def test_clocks_that_are_apart_are_refused_and_say_by_how_much(leader: bytes, seconds: float, said: str) -> None:
    other = changed(leader, lambda told: told.update(clock=told["clock"] + seconds))

    assert f" is {said} that of process 0 on " in refused(leader, other)


def test_what_a_worker_says_takes_no_more_of_the_disk_than_was_reserved(tmp_path: Path) -> None:
    file = tmp_path / "refused"
    refusal.reserve(file)
    reserved = file.stat()
    assert refusal.refusal(file) == ""
    refusal.refuse(file, "first, and longer")
    refusal.refuse(file, "then \N{HONEYBEE}")

    assert refusal.refusal(file) == "then \N{HONEYBEE}"
    assert (file.stat().st_ino, file.stat().st_size) == (reserved.st_ino, reserved.st_size)
    refusal.reserve(file)
    assert refusal.refusal(file) == ""

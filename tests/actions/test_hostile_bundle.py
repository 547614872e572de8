"""A bundle that is not what it says is refused with one line: the hub's ledger stays, and the reviewer is told."""

import json
import os
import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import PIL.Image
import pygit2
import pytest
from forging import change, put, relist, rewrite
from hive import BASE_RUN, RUN, URL, Hive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendered import strange_tokens
from shop import CLASSES, GOOD, git, worse, write_onnx

from runhive.actions.bundle import most_bytes
from runhive.actions.reading import Refused, open_bundle
from runhive.tracking.ledger.batch import batch_name, read_batch, write_batch
from runhive.tracking.ledger.kept import BATCH_NAME, Kept
from runhive.tracking.ledger.objects import REF
from runhive.tracking.ledger.run import Event

EVIL = (
    "<script>alert(1)</script>|![x](https://evil.example/p.png) @maya [y](javascript:alert(1)) "
    "`\n```\n#7 www.evil.example"
)


def is_refused(hive: Hive, why: str) -> str:
    """Collect; assert that it is refused in one line that says *why*, and that no ledger has anything new."""
    before, tip = hive.hub_tip(), hive.ledger.tip()
    said = hive.collect(code=1).strip()

    assert "\n" not in said and said.startswith("the bundle is refused: "), said
    assert why in said
    assert (hive.hub_tip(), hive.ledger.tip()) == (before, tip)
    assert hive.check()["conclusion"] == "failure"
    assert "is refused" in hive.comment()
    return said


def test_a_path_out_of_the_bundle_is_refused(trained: Hive) -> None:
    (trained.bundle.parent / "outside").write_text("x")
    manifest = trained.bundle / "bundle.json"
    told = json.loads(manifest.read_text())
    told["files"].append({"path": "../outside", "bytes": 1, "sha256": "0" * 64})
    manifest.write_text(json.dumps(told))

    is_refused(trained, "../outside is a path that no bundle has")


@pytest.mark.parametrize(
    "path",
    [
        "runs/../../x", "runs/2026/11/23/20261123-142202-7f3a9c/events/../x", "/etc/passwd", "media/aa/x.jpg",
        "runs/2026/11/23/20261123-142202-7f3a9c/.x", "purged/x", "format", ".git/config", "model/model.onnx.exe",
        "runs/2026/11/23/20261123-142202-7f3a9c/events/a\n", "C:\\x", "", "results/predictions.csv",
    ],
)  # fmt: skip
def test_no_bundle_has_this_path(path: str) -> None:
    assert most_bytes(path) is None


def test_a_link_is_refused_whatever_it_leads_to(trained: Hive) -> None:
    lock = trained.bundle / "dvc.lock"
    lock.rename(trained.bundle.parent / "lock")
    lock.symlink_to(trained.bundle.parent / "lock")

    is_refused(trained, "dvc.lock is a link")


def test_a_folder_that_is_a_link_is_refused(trained: Hive) -> None:
    (trained.bundle / "model").rename(trained.bundle.parent / "model")
    (trained.bundle / "model").symlink_to(trained.bundle.parent / "model")

    is_refused(trained, "model is a link")


def test_a_pipe_is_refused_and_not_waited_for(trained: Hive) -> None:
    (trained.bundle / "dvc.lock").unlink()
    os.mkfifo(trained.bundle / "dvc.lock")

    is_refused(trained, "no plain file")


def test_too_large_a_file_is_refused_unread(trained: Hive) -> None:
    with (trained.bundle / "dvc.lock").open("wb") as file:
        file.truncate(40_000_000_000)  # takes no disk
    manifest = trained.bundle / "bundle.json"
    told = json.loads(manifest.read_text())
    for entry in told["files"]:
        entry["bytes"] = 40_000_000_000 if entry["path"] == "dvc.lock" else entry["bytes"]
    manifest.write_text(json.dumps(told))

    is_refused(trained, "dvc.lock has 40,000,000,000 bytes")


def test_a_manifest_that_is_too_large_is_refused_unread(trained: Hive) -> None:
    with (trained.bundle / "bundle.json").open("ab") as file:
        file.truncate(40_000_000_000)

    is_refused(trained, "bundle.json has more than")


def test_too_many_files_are_refused(trained: Hive) -> None:
    many = trained.bundle / "media"
    many.mkdir(exist_ok=True)
    for number in range(10_001):
        (many / str(number)).touch()

    is_refused(trained, "more than 5,000 files")


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"runs": ' * 50_000, "", "null", "\x00", '{"schema_version": 1e400}']
)
def test_a_manifest_that_is_no_json_of_ours_is_refused(trained_hive: Path, content: str, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "bundle.json").write_text(content)

    with pytest.raises(Refused):
        open_bundle(bundle)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"schema_version": 2}, "schema version 2"),
        ({"pull_request": 8}, "pull_request"),
        ({"run": BASE_RUN}, "not among its runs"),
        ({"runs": [RUN, BASE_RUN]}, "other runs than it names"),
        ({"workflow_run": 1}, "another workflow run"),
        ({"repository": "evil/bees"}, "another workflow run"),
        ({"commit": "HEAD; rm -rf /"}, "commit"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(trained: Hive, changed: dict[str, object], why: str) -> None:
    relist(trained.bundle, **changed)

    is_refused(trained, why)


def test_a_file_that_is_not_listed_is_refused(trained: Hive) -> None:
    (trained.bundle / "results").mkdir(exist_ok=True)
    (trained.bundle / "results/parity.json").write_text("{}")

    is_refused(trained, "results/parity.json is not what bundle.json lists")


def test_other_bytes_than_those_listed_are_refused(trained: Hive) -> None:
    onnx = trained.bundle / "model/model.onnx"
    onnx.write_bytes(onnx.read_bytes()[:-1] + b"x")

    is_refused(trained, "other bytes")


def test_the_pull_request_is_the_one_that_github_names_not_the_bundle(trained: Hive) -> None:
    """Of those that GitHub lists for the commit the others are closed, a fork's, of another commit or branch."""
    own = {"sha": trained.head, "ref": "faster", "repo": {"full_name": "team/bees"}}
    pulls = [
        {"number": 8, "state": "closed", "head": own},
        {"number": 9, "state": "open", "head": own | {"repo": {"full_name": "evil/bees"}}},
        {"number": 10, "state": "open", "head": own | {"sha": "1" * 40}},
        {"number": 11, "state": "open", "head": own | {"ref": "slower"}},
        {"number": 12, "state": "open", "head": own | {"repo": None}},
        {"number": 7, "state": "open", "head": own},
    ]
    trained.answers({"path": "repos/team/bees/commits/[0-9a-f]{40}/pulls", "body": pulls})
    trained.collect()

    assert {call["path"] for call in trained.github.sent()} == {
        "repos/team/bees/issues/7/comments",
        "repos/team/bees/check-runs",
    }
    assert trained.ledger.run(RUN).collected["pull_request"] == 7


def test_a_run_of_another_workflow_run_is_refused(trained: Hive) -> None:
    change(trained.bundle, RUN, "started", lambda data: data["launcher"].update(url=data["launcher"]["url"] + "2"))

    is_refused(trained, "belongs to another workflow run, https://github.com/team/bees/actions/runs/47112")


def test_the_id_of_a_run_that_the_hub_has_is_refused(trained: Hive) -> None:
    rewrite(trained.bundle, RUN, other_id=BASE_RUN)

    is_refused(trained, f"run {BASE_RUN} is in the ledger already and belongs to another clone")


def test_a_run_of_another_commit_than_its_workflow_runs_is_refused(trained: Hive) -> None:
    change(trained.bundle, RUN, "started", lambda data: data["code"].update(commit="1" * 40))

    is_refused(trained, f"says that it is of commit 111111111111, its workflow run is of {trained.head[:12]}")


def test_a_run_that_takes_the_place_of_the_base_branchs_is_refused(trained: Hive) -> None:
    """A dvc.lock names its run by the digest of the run's record: with that of main's it would be what others beat."""
    record = trained.ledger.run(BASE_RUN).training["record_md5"]
    change(trained.bundle, RUN, "trained", lambda data: data.update(record_md5=record))

    is_refused(trained, f"run {RUN} says that its record is that of run {BASE_RUN}")


def test_a_run_that_takes_the_place_of_one_that_the_ledger_has_not_is_refused(trained: Hive) -> None:
    """Main's dvc.lock is public; nobody pushed the run that it names."""
    record = trained.ledger.run(BASE_RUN).training["record_md5"]
    for where, *words in ((trained.hub,), (trained.base,), (trained.base, "refs/runhive/remotes/origin/main")):
        git(where, "update-ref", "-d", *(words or (REF,)))
    change(trained.bundle, RUN, "trained", lambda data: data.update(record_md5=record))
    said = trained.collect(code=1)

    assert f"run {RUN} says that it is the base branch's own run, which the ledger has not" in said


def test_a_run_that_began_before_its_workflow_run_is_refused(trained: Hive) -> None:
    rewrite(trained.bundle, RUN, other_id="20261122-142202-7f3a9c")

    is_refused(trained, "run 20261122-142202-7f3a9c began before its workflow run")


def test_an_id_from_the_future_is_refused(trained: Hive) -> None:
    rewrite(trained.bundle, RUN, other_id="20991231-235959-7f3a9c")

    is_refused(trained, "times after the workflow run's end")


@pytest.mark.parametrize("type", ["collected", "versioned", "promoted", "deprecated", "version-marked", "reproduced"])
def test_no_job_speaks_for_the_collector_or_the_registry(trained: Hive, type: str) -> None:
    data = {
        "collected": {"workflow": {}},
        "versioned": {
            "name": "m", "version": "1.0.0", "number": 1, "bump": "first", "commit": "0" * 40, "files": {}, "onnx": "x",
            "weights_sha256": "0" * 64, "data_digest": "0" * 64, "params_digest": "0" * 64, "input_digest": "",
            "classes": [], "preprocess": {}, "metrics": {}, "evaluation_set": {}, "by": "me",
        },
        "promoted": {"name": "m", "version": "1.0.0", "alias": "prod", "counter": 1, "before": "", "by": "me"},
        "deprecated": {"name": "m", "version": "1.0.0", "reason": "", "by": "me"},
        "version-marked": {"name": "m", "version": "1.0.0", "by": "me"},
        "reproduced": {"verdict": "bit for bit"},
    }[type]  # fmt: skip
    put(trained.bundle, RUN, Event(type, data, order=99))

    is_refused(trained, f"an event '{type}', which no job writes")


def test_an_event_that_is_not_named_by_its_content_is_refused(trained: Hive) -> None:
    for path in (trained.bundle / "runs").rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b'"colours"', b'"colors!"'))
    relist(trained.bundle)

    is_refused(trained, "is not named by its order")


def test_a_chain_that_was_rewritten_is_refused(trained: Hive) -> None:
    """The hub has the run; a second bundle of the same workflow run says that it was scored otherwise."""
    trained.collect()
    change(trained.bundle, RUN, "evaluated", lambda data: data["metrics"].update({"val.accuracy": 1.0}))

    is_refused(trained, f"run {RUN} is complete in the ledger, with an event 'evaluated' that it lacks")


def test_a_run_that_began_otherwise_is_refused(trained: Hive) -> None:
    trained.collect()
    change(trained.bundle, RUN, "started", lambda data: data["params"]["train"].update(lr=99))

    is_refused(trained, f"run {RUN} began otherwise in the ledger")


def test_another_branch_adds_nothing_to_a_run(trained: Hive) -> None:
    trained.collect()
    put(trained.bundle, RUN, Event("noted", {"text": "mine"}))
    before = trained.hub_tip()
    said = trained.collect(code=1, head_branch="other")

    assert "is in the ledger already and belongs to https://github.com/team/bees/actions/runs/4711" in said
    assert trained.hub_tip() == before


def test_a_branch_that_makes_more_of_a_run_of_another_is_told_what_to_do_and_is_no_failure(trained: Hive) -> None:
    """DVC restored the training: nobody did wrong, and there is no run that could be judged."""
    trained.collect()
    trained.call(trained.folder / "box", "runs", "pull")
    trained.pack()
    put(trained.bundle, RUN, Event("exported", {"metrics": {}, "parity": {"opset": 18}}))
    before = trained.hub_tip()
    trained.collect(code=1, head_branch="other")

    assert trained.check()["conclusion"] == "action_required"
    assert trained.check()["output"]["title"] == "It has no run of its own"
    assert "change a parameter of train too" in trained.check()["output"]["summary"]
    assert trained.hub_tip() == before


def test_an_accuracy_that_the_bytes_do_not_give_is_refused_and_the_truth_is_shown(trained: Hive) -> None:
    change(trained.bundle, RUN, "evaluated", lambda data: data["metrics"].update({"val.accuracy": 1.0}))

    is_refused(trained, "says that val.accuracy is 1, its model gives 0.8333")
    assert "says that val.accuracy is 1, its model gives 0.8333" in trained.comment()


def test_answers_that_the_bytes_do_not_give_are_refused(trained: Hive) -> None:
    """All of them say what the labels say; the numbers were not changed."""
    rows = trained.box.ledger.file(RUN, "predictions.csv").decode().splitlines()
    content = ("\n".join([rows[0], *map(_all_right, rows[1:])]) + "\n").encode()
    rewrite(trained.bundle, RUN, files={"predictions.csv": content})

    is_refused(trained, "holds answers that its model does not give")


def _all_right(row: str) -> str:
    """A row whose logits say what its label says."""
    path, sha256, label, *_ = row.split(",")
    return ",".join([path, sha256, label, label, "0.9", *("9" if one == label else "0" for one in CLASSES)])


def test_a_model_that_the_run_did_not_file_is_refused(trained: Hive) -> None:
    """A better model than the one that was trained."""
    onnx = trained.bundle / "model/model.onnx"
    write_onnx(onnx, GOOD, CLASSES, "1" * 64)
    relist(trained.bundle)

    is_refused(trained, f"its model is not the one that run {RUN} filed")


def test_a_run_that_says_it_is_complete_without_a_model_is_refused(trained: Hive) -> None:
    (trained.bundle / "model/model.onnx").unlink()
    relist(trained.bundle)

    is_refused(trained, "its model is not there")


def test_a_model_of_other_weights_is_refused(trained: Hive) -> None:
    change(trained.bundle, RUN, "trained", lambda data: data.update(weights_sha256="2" * 64))

    is_refused(trained, "its model was made from other weights")


def test_a_script_in_every_string_reaches_neither_the_comment_nor_the_check(trained: Hive) -> None:
    def poison(data: dict[str, object]) -> None:
        data["experiment"] = EVIL
        data["params"] = {EVIL: EVIL, "train": {EVIL: {EVIL: [EVIL]}}}
        data["name"] = EVIL[:200]
        data["tags"] = [EVIL[:100]]

    change(trained.bundle, RUN, "started", poison)
    change(trained.bundle, RUN, "evaluated", lambda data: data["metrics"].update({EVIL: 1.0}))
    head = {"sha": trained.head, "ref": EVIL, "repo": {"full_name": "team/bees"}}
    trained.answers(
        {
            "path": "repos/team/bees/commits/[0-9a-f]{40}/pulls",
            "body": [{"number": 7, "state": "open", "title": EVIL, "head": head}],
        }
    )
    trained.collect(head_branch=EVIL, actor={"login": EVIL}, name=EVIL)

    for text in (trained.comment(), trained.check()["output"]["summary"]):
        assert "script" in text
        assert strange_tokens(text) == []


def test_values_of_the_wrong_kind_crash_nothing(trained: Hive) -> None:
    change(trained.bundle, RUN, "trained", lambda data: data.update(selection=["x"], record_md5=7))
    change(trained.bundle, RUN, "evaluated", lambda data: data.update(evaluation={"evaluation_set": "val"}))
    change(trained.bundle, RUN, "exported", lambda data: data.update(parity={"onnx_bytes": "many"}))
    odd = {
        "code": {"commit": None, "dirty": "no"},
        "data": {"digest": []},
        "environment": {"host": {}},
        "params": {"a": [{}]},
    }
    change(trained.bundle, RUN, "started", lambda data: data.update(odd))
    trained.collect()

    assert "`val.accuracy` is **83.3" in trained.comment()


@pytest.mark.parametrize("content", [b"path,sha256\n", b"\x00\xff", b"a" * 1000])
def test_answers_that_are_no_table_are_refused(trained: Hive, content: bytes) -> None:
    rewrite(trained.bundle, RUN, files={"predictions.csv": content})

    is_refused(trained, "is damaged")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_manifest_with_any_byte_changed_is_refused_or_read_as_it_is(
    trained_hive: Path, at: float, byte: int, cut: bool, tmp_path: Path
) -> None:
    """It never crashes, and never reads a file that is not listed."""
    bundle = tmp_path / "bundle"
    shutil.rmtree(bundle, ignore_errors=True)
    shutil.copytree(trained_hive / "bundle", bundle)
    manifest = bundle / "bundle.json"
    content = bytearray(manifest.read_bytes())
    index = int(at * (len(content) - 1))
    manifest.write_bytes(
        bytes(content[:index]) if cut else bytes(content[:index]) + bytes([byte]) + bytes(content[index + 1 :])
    )
    try:
        opened = open_bundle(bundle)
    except Refused as error:
        assert "\n" not in str(error)
        return
    assert {file.path for file in opened.bundle.files} == {
        path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file() and path != manifest
    }


def test_a_key_that_is_there_twice_is_refused(trained: Hive) -> None:
    """Which of the two counts would be up to who reads it."""
    manifest = trained.bundle / "bundle.json"
    manifest.write_text('{"commit": null, ' + manifest.read_text().removeprefix("{"))

    is_refused(trained, "a key is there twice")


@pytest.mark.parametrize(
    "data",
    [
        '{"metrics":{"val.accuracy":NaN}}', '{"metrics":{"val.accuracy":1e999}}', '{"metrics":{},"metrics":{}}',
        f'{{"a":{"[" * 20_000}{"]" * 20_000}}}', f'{{"a":1{"0" * 5_000}}}', '{"a":"\\ud800"}',
    ],
)  # fmt: skip
def test_an_event_that_is_no_plain_json_is_refused(trained: Hive, data: str) -> None:
    events = trained.bundle / next(
        file["path"]
        for file in json.loads((trained.bundle / "bundle.json").read_text())["files"]
        if BATCH_NAME.fullmatch(file["path"].rpartition("/")[2])
    )
    shape = (
        '{"began":null,"data":%s,"order":9,"schema_version":1,"seconds":null,"time":"2026-11-23T14:22:09.000+00:00",'
    )
    content = (shape % data + '"type":"logged"}\n').encode()
    (events.parent / batch_name(9, content)).write_bytes(content)
    relist(trained.bundle)

    is_refused(trained, "")


@pytest.mark.parametrize("size", [(1_025, 1), (60_000, 60_000)])
def test_a_picture_that_unpacks_to_a_huge_one_is_refused(trained: Hive, size: tuple[int, int]) -> None:
    """Its few bytes say that it is huge, which a reader's browser would believe."""
    jpeg = BytesIO()
    PIL.Image.new("L", (8, 8)).save(jpeg, "JPEG")
    content = bytearray(jpeg.getvalue())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")
    (trained.bundle / "media/aa").mkdir(parents=True, exist_ok=True)
    (trained.bundle / f"media/aa/{'a' * 64}.jpg").write_bytes(content)
    relist(trained.bundle)

    is_refused(trained, "is no JPEG of at most 1024 pixels a side")


def test_an_event_numbered_so_high_that_nothing_could_follow_it_is_refused(trained: Hive) -> None:
    """What the collector writes has to come after it, under a name that readers know."""
    _number_in_place(trained.bundle, 999_999_999)

    is_refused(trained, f"run {RUN} has an event or a file of an order over 1,000,000")


def test_a_file_numbered_so_high_that_nothing_could_follow_it_is_refused(trained: Hive) -> None:
    (predictions,) = (trained.bundle / "runs").rglob("*-predictions.csv")
    predictions.rename(predictions.with_name("999999999" + predictions.name[predictions.name.index("-") :]))
    relist(trained.bundle)

    is_refused(trained, f"run {RUN} has an event or a file of an order over 1,000,000")


def _number_in_place(bundle: Path, order: int) -> None:
    """Give the last event of the run's first file this *order*, under the name that its content then has."""
    first = min(path for path in (bundle / "runs").rglob("*") if BATCH_NAME.fullmatch(path.name))
    events = read_batch(first.read_bytes())
    content = write_batch([*events[:-1], replace(events[-1], order=order)])
    first.unlink()
    (first.parent / batch_name(events[0].order, content)).write_bytes(content)
    relist(bundle)


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ("numbers", "says that val.accuracy is 1, its model gives 0.8333"),
        ("answers", "holds answers that its model does not give"),
    ],
)
def test_what_an_earlier_attempt_left_is_held_against_the_model_of_a_later_one(hive: Hive, left: str, why: str) -> None:
    """The ledger keeps both: the first says how good it is and leaves no model, the second has a worse one."""
    head = Event("started", {"experiment": "colours", "launcher": {"url": URL}}, time="2026-11-23T14:22:02.000+00:00")
    better = hive.ledger.run(BASE_RUN)
    boast = {"metrics": better.metrics, "evaluation": better.evaluation}
    answers = hive.ledger.file(BASE_RUN, "predictions.csv") or b""
    failed = Event("finished", {"state": "failed", "attempt": 1})
    hive.box.ledger.append(RUN, [head, *(Event("logged", {"metrics": {"n": n}}) for n in range(20))])
    if left == "numbers":
        hive.box.ledger.append(RUN, [Event("evaluated", boast), failed])
    else:
        hive.box.ledger.append(RUN, [failed], {"predictions.csv": answers})
    hive.pack("--outcome", "failure")
    hive.answers()
    hive.collect(conclusion="failure")
    git(hive.folder / "box", "update-ref", "-d", "refs/runs/main")

    hive.train(worse(0.5))
    rewrite(hive.bundle, RUN, lambda events: [head, *(one for one in events if one.type != "started")])
    before = hive.hub_tip()
    said = hive.collect(code=1, run_attempt=2, run_started_at="2026-11-23T15:00:00Z")

    assert why in said
    assert hive.hub_tip() == before


def test_a_run_of_nothing_that_a_reader_knows_is_refused(trained: Hive) -> None:
    folder = next(path.parent for path in (trained.bundle / "runs").rglob("*.json"))
    for path in folder.iterdir():
        path.unlink()
    (folder / "files").mkdir()
    name = Kept(1, str(pygit2.hash(b"x")), "events.json").path()
    (folder / "files" / name).write_bytes(b"x")
    relist(trained.bundle)

    is_refused(trained, f"run {RUN} has no event that it started")

"""What is kept from build to build: never a byte different from a site that is made anew."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import sample_ledger
from test_report_site import contents

from runhive.errors import RunhiveError
from runhive.formats.predictions import Predictions, to_csv
from runhive.report import makers, page_maker
from runhive.report.choice import Choice
from runhive.report.keep import SPARED, Keep, Made, take
from runhive.report.makers import Makers
from runhive.report.page_maker import Job, Place
from runhive.report.seen import Seen, look
from runhive.report.shell import Shell
from runhive.report.site import Plan, build
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.ledger.snapshot import snapshot
from runhive.tracking.marks import tag


@pytest.fixture
def place(source: Path, tmp_path: Path) -> Path:
    """A folder with the shell in which nothing is kept yet."""
    shutil.copytree(source, tmp_path / "source", ignore=shutil.ignore_patterns("site"))
    shutil.rmtree(tmp_path / "source/.runhive/site", ignore_errors=True)
    return tmp_path / "source"


@pytest.fixture
def own_ledger(tmp_path: Path) -> Ledger:
    """The sample, to be changed."""
    return sample_ledger.make_ledger(tmp_path / "sample")


def made_pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose pages are made from now on."""
    made: list[str] = []
    real = page_maker.make_page
    monkeypatch.setattr(page_maker, "make_page", lambda job, *rest: made.append(job.run_id) or real(job, *rest))
    return made


def test_what_is_kept_gives_the_bytes_of_a_site_that_is_made_anew(
    site: Path, ledger: Ledger, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(ledger, place, tmp_path / "first")
    made = made_pages(monkeypatch)
    build(ledger, place, tmp_path / "second")

    assert made == []
    assert contents(tmp_path / "first") == contents(tmp_path / "second") == contents(site)


def test_several_processes_give_the_same_bytes(
    site: Path, ledger: Ledger, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(makers, "FEW", 1)
    monkeypatch.setattr(makers, "_cores", lambda: 2)
    made = made_pages(monkeypatch)
    build(ledger, place, tmp_path / "site")

    assert made == []  # not in this process
    assert contents(tmp_path / "site") == contents(site)


def test_where_every_process_fails_the_build_ends_with_the_first_mistake(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(makers, "AN_ORDER", 1)
    monkeypatch.setattr(makers, "FEW", 1)
    monkeypatch.setattr(makers, "_cores", lambda: 2)
    where = Place(repository=Path(ledger.repository.path), tip=ledger.tip(), work=tmp_path, kept=tmp_path)
    ids = [f"20200101-00000{number}-000000" for number in range(8)]
    lost = {"shard": "", "baseline": None, "newer": None, "older": None, "data_pages": {}, "details": {}}
    jobs = [Job(key=one, run_id=one, try_it=None, versions=[], **lost) for one in ids]

    with pytest.raises(RunhiveError, match=ids[0]), Makers(snapshot(ledger), where) as several:
        list(several.pages(jobs, Shell("", "")))


def test_of_a_changed_run_its_page_is_made_anew_and_those_that_show_it(
    own_ledger: Ledger, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(own_ledger, place, tmp_path / "site")
    made = made_pages(monkeypatch)
    runs = own_ledger.runs()
    baseline = next(run for run in runs if run.comparison.get("baseline"))
    tag(own_ledger, own_ledger.run(baseline.comparison["baseline"]), ["changed"], [])
    build(own_ledger, place, tmp_path / "site")
    shown_by = {run.run_id for run in runs if run.comparison.get("baseline") == baseline.comparison["baseline"]}

    assert set(made) == {baseline.comparison["baseline"], *shown_by}
    assert "changed" in (tmp_path / "site/runs" / f"{baseline.comparison['baseline']}.html").read_text()


def test_of_a_new_run_only_its_page_and_its_neighbour_s_are_made(
    own_ledger: Ledger, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(own_ledger, place, tmp_path / "site")
    neighbour = own_ledger.runs()[0].run_id
    made = made_pages(monkeypatch)
    own_ledger.append("20261124-000000-abcdef", [Event("started", {}, time="2026-11-24T00:00:00.000+00:00")])
    build(own_ledger, place, tmp_path / "site")

    assert made == ["20261124-000000-abcdef", neighbour]


def test_a_picture_that_came_later_is_shown(own_ledger: Ledger, place: Path, tmp_path: Path) -> None:
    digest = "ab" * 32
    answers = Predictions(["a", "b"], ["val/a/x.jpg"], [digest], np.array([0]), np.array([[0.0, 5.0]]))
    files = {"predictions.csv": to_csv(answers)}
    own_ledger.append("20261124-000000-abcdef", [Event("started", {}, time="2026-11-24T00:00:00.000+00:00")], files)
    build(own_ledger, place, tmp_path / "site")
    page = tmp_path / "site/runs/20261124-000000-abcdef.html"
    before = f"media/ab/{digest}.jpg" in page.read_text()
    picture = sample_ledger.draw_digit(3, 1)
    own_ledger.append("20261123-000000-abcdef", [Event("started", {})], media={digest: picture})
    build(own_ledger, place, tmp_path / "site")

    assert not before
    assert f"media/ab/{digest}.jpg" in page.read_text()


def test_a_damaged_file_and_an_edit_in_the_site_are_made_again(
    site: Path, ledger: Ledger, place: Path, tmp_path: Path
) -> None:
    build(ledger, place, tmp_path / "site")
    for file in sorted((place / ".runhive/site").glob("??/*"))[::3]:
        file.write_bytes(file.read_bytes()[:-1] + b"!")
    for page in sorted((tmp_path / "site").glob("*/*.html"))[::4]:
        page.write_bytes(page.read_bytes().replace(b"Runhive", b"Edited!"))
    build(ledger, place, tmp_path / "site")

    assert contents(tmp_path / "site") == contents(site)


@pytest.mark.parametrize("damage", [b"", b"1", b"1 2\na 1 []", b"x y z\n"])
def test_a_damaged_list_is_as_good_as_none(
    damage: bytes, site: Path, ledger: Ledger, place: Path, tmp_path: Path
) -> None:
    build(ledger, place, tmp_path / "site")
    (place / ".runhive/site/made.txt").write_bytes(damage)
    build(ledger, place, tmp_path / "site")

    assert contents(tmp_path / "site") == contents(site)


def test_a_list_with_one_wrong_byte_is_as_good_as_none(tmp_path: Path) -> None:
    keep = Keep(tmp_path)
    keep["a"] = Made(value={"row": "a & b"})
    keep.close()
    listed = (tmp_path / "made.txt").read_bytes()
    (tmp_path / "made.txt").write_bytes(listed.replace(b"a & b", b"a < b"))

    assert "a" not in Keep(tmp_path)


def test_what_the_last_builds_did_not_use_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    for name in ("old", "new"):
        (tmp_path / "site" / name).write_text(name)
    keep = Keep(tmp_path / "kept")
    keep["old"] = take(keep.folder, tmp_path / "site", {"old": b"old"})
    keep.close()
    for _ in range(SPARED):
        keep = Keep(tmp_path / "kept")
        keep["new"] = take(keep.folder, tmp_path / "site", {"new": b"new"})
        keep.close()
    keep = Keep(tmp_path / "kept")

    assert ("old" in keep, "new" in keep) == (False, True)
    assert [file.read_text() for file in (tmp_path / "kept").glob("??/*")] == ["new"]


def test_a_choice_of_runs_has_their_pages_alone(ledger: Ledger, place: Path, tmp_path: Path) -> None:
    stamp = build(ledger, place, tmp_path / "site", Plan(choice=Choice("experiment == digits")))
    shown = {path.stem for path in (tmp_path / "site/runs").glob("2026*.html")}

    assert shown == {run.run_id for run in ledger.runs() if run.experiment == "digits"}
    assert stamp.runs == len(shown)


def test_only_a_file_that_looks_otherwise_than_at_the_last_look_is_read_again(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_text("whole")
    digest = hashlib.sha256(b"whole").hexdigest()
    seen = Seen(tmp_path / "seen.txt")
    first = seen.is_whole(digest, str(content))
    seen.close()
    looked_at = content.stat()
    content.write_text("other")
    os.utime(content, ns=(looked_at.st_atime_ns, looked_at.st_mtime_ns))
    unread = Seen(tmp_path / "seen.txt").is_whole(digest, str(content))
    os.utime(content, ns=(looked_at.st_atime_ns, looked_at.st_mtime_ns + 1))
    read = Seen(tmp_path / "seen.txt").is_whole(digest, str(content))

    assert (first, unread, read) == (True, True, False)
    assert not content.exists()


@pytest.mark.parametrize("damage", [b"", b"1", b"x\n[]", b"x\n[[1"])
def test_after_damaged_looks_every_file_is_read(damage: bytes, tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_text("other")
    digest = hashlib.sha256(b"whole").hexdigest()
    seen = Seen(tmp_path / "seen.txt")
    seen.add({digest: look(str(content))})
    seen.close()
    (tmp_path / "seen.txt").write_bytes(damage)

    assert not Seen(tmp_path / "seen.txt").is_whole(digest, str(content))


def test_a_damaged_file_that_stood_where_one_is_kept_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/page").write_text("whole")
    digest = hashlib.sha256(b"whole").hexdigest()
    damaged = tmp_path / "kept" / digest[:2] / digest
    damaged.parent.mkdir(parents=True)
    damaged.write_text("other")
    keep = Keep(tmp_path / "kept")
    keep["page"] = take(keep.folder, tmp_path / "site", {"page": b"whole"})

    assert not keep.place(keep["page"], tmp_path / "next")

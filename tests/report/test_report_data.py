"""The pages of the data: what each version holds, what is wrong with it, what changed."""

import json
import shutil
from pathlib import Path

import hostile_ledger
import pygit2
import sample_ledger
from html_reader import parse, read, rows

from runhive.report.site import build
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event


def versions(site: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((site / "data/versions.json").read_text())["versions"]
    return found


def test_each_version_has_a_page_and_the_one_used_last_is_the_index(site: Path, ledger: Ledger) -> None:
    digests = {run.data["digest"] for run in ledger.runs()}
    names = {path.name for path in (site / "data").glob("*.html")}

    assert len(digests) == 3
    assert names == {"index.html"} | {f"{digest}.html" for digest in digests - {versions(site)[-1]["digest"]}}
    assert versions(site)[-1]["digest"] == ledger.runs()[0].data["digest"]


def test_the_page_says_what_changed_against_the_version_before(site: Path) -> None:
    found = read(site / "data/index.html")

    for said in ("Added: 1", "Removed: 1", "Moved to another split: 1", "Put in another class: 1"):
        assert said in found.text
    assert "train/ants/new.jpg" in found.text


def test_another_data_set_is_no_version_of_the_first(site: Path) -> None:
    first, *_ = [one for one in versions(site) if one["previous"] is None and one["changes"] is None]

    assert len([one for one in versions(site) if one["previous"]]) == 1
    page = next((site / "data").glob(f"{first['digest']}.html"))
    assert "It is the first version of these images." in read(page).text


def test_the_page_warns_of_pictures_in_two_splits_and_classes_and_shows_them(site: Path) -> None:
    text = read(site / "data/index.html").text

    assert "1 picture is in more than one split: scores flatter." in text
    assert "1 picture is in more than one class: a label is wrong." in text
    assert "nearly the same" in text
    assert "1 more is there more than once within one split and class." in text


def test_the_page_counts_classes_sizes_and_what_was_left_out(site: Path) -> None:
    html = (site / "data/index.html").read_text()
    shown = [row.replace("\u202f", " ") for row in rows(html)]

    assert "ants 121 30" in shown
    assert any(row.startswith("52 – 96") for row in shown)
    assert "train/ants/imageNotFound.gif GIF, not a photo format" in read(site / "data/index.html").text


def test_a_run_s_page_leads_to_its_data(site: Path, ledger: Ledger) -> None:
    newest = ledger.runs()[0]

    assert "../data/index.html" in read(site / f"runs/{newest.run_id}.html").addresses()


def test_hostile_lists_are_only_text(source: Path, tmp_path: Path) -> None:
    pygit2.init_repository(str(tmp_path / "repository"))
    ledger = open_ledger(tmp_path / "repository")
    for number, payload in enumerate(hostile_ledger.PAYLOADS):
        task = sample_ledger.Task(payload, [payload, "bees"], [], [], False)
        image = sample_ledger.ManifestImage(f"train/{payload}/1.png", "train", payload, payload, 1, 1)
        report = sample_ledger.data_report(task, [image] * 3).model_dump(mode="json")
        report["left_out"] = [{"path": payload, "reason": payload}]
        report["sizes"]["shorter_side"] |= {"edges": [1e300], "counts": {payload: [10**300]}}
        data = {"digest": f"{number:064x}", "classes": [payload], "counts": {payload: {payload: 3}}}
        files = {"data_report.json": json.dumps(report).encode(), "manifest.csv": payload.encode("utf-8", "replace")}
        fetched = {"source": payload, "not_kept": [payload], "bytes": 3}
        events = [Event("started", {"data": data}), Event("fetched", fetched)]
        ledger.append(hostile_ledger.run_id(number), events, files)
    build(ledger, source, tmp_path / "site")
    pages = list((tmp_path / "site/data").glob("*.html"))

    assert len(pages) == len(hostile_ledger.PAYLOADS)
    for path in pages:
        page = parse(path.read_text(encoding="utf-8"))
        assert "pwned" not in page.scripts
        assert not [tag for tag, attributes in page.tags if any(name.startswith("on") for name in attributes)]
        assert not {"\u202e", "\u200b", "\x00", "\x1b"} & set(path.read_text(encoding="utf-8"))


def test_a_digest_that_is_none_gives_no_page_and_no_page_says_that_there_are_no_runs(
    source: Path, tmp_path: Path
) -> None:
    pygit2.init_repository(str(tmp_path / "repository"))
    ledger = open_ledger(tmp_path / "repository")
    for number, digest in enumerate(["../../../evil", "AB" * 32, 5, None]):
        ledger.append(hostile_ledger.run_id(number), [Event("started", {"data": {"digest": digest}})])
    build(ledger, source, tmp_path / "site")

    assert [path.name for path in (tmp_path / "site/data").iterdir() if path.suffix == ".html"] == ["index.html"]
    assert "No run says which data it had" in read(tmp_path / "site/data/index.html").text
    assert "No run has completed yet" in read(tmp_path / "site/trends/index.html").text


def test_without_its_files_a_version_says_so(source: Path, tmp_path: Path) -> None:
    pygit2.init_repository(str(tmp_path / "repository"))
    ledger = open_ledger(tmp_path / "repository")
    started = Event("started", {"data": {"digest": "ab" * 32, "classes": ["a", "b"], "counts": {"train": {"a": 1}}}})
    for number, not_kept in enumerate([[], ["manifest.csv"]]):
        ledger.append(hostile_ledger.run_id(number), [started, Event("fetched", {"not_kept": not_kept})])
        build(ledger, source, tmp_path / "site")
        text = read(tmp_path / "site/data/index.html").text
        read.cache_clear()

        assert ("it is too large for the ledger" if not_kept else "no run on this data keeps a whole one") in text
        assert "train has no image of 1 class: b" in text
        shutil.rmtree(tmp_path / "site")


def test_a_first_look_shows_images_under_their_own_class_and_split(site: Path) -> None:
    html = (site / "data/index.html").read_text()
    groups = html.split("id=samples>")[1].split("<h2")[0].split("<figure>")[1:]

    assert groups
    for group in groups:
        label, split = parse(group.split("</figcaption>")[0]).text.split()
        images = parse(group).all("img")
        assert images and all(image["title"].startswith(f"{split}/{label}/") for image in images)
        assert all((site / "data" / image["src"]).is_file() for image in images)

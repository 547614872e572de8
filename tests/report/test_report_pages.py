"""What each page says of its runs."""

import re
from pathlib import Path

import pytest
import sample_ledger
from html_reader import parse, read, rows

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

PLANS = {(plan.day, plan.hour): plan for plan in sample_ledger.plans()}
SELECTED = "selected on these images"


def page(site: Path, day: int, hour: int) -> str:
    return (site / "runs" / f"{PLANS[day, hour].run_id}.html").read_text()


def text(site: Path, day: int, hour: int) -> str:
    return parse(page(site, day, hour)).text


def test_the_table_has_a_row_for_each_run_newest_first_with_its_state_as_a_word(site: Path, ledger: Ledger) -> None:
    found = rows((site / "runs/index.html").read_text())[1:]

    assert len(found) == 12
    for row, run in zip(found, ledger.runs(), strict=True):
        assert row.startswith(f"{run.state} {run.run_id}")


def test_states_differ_by_shape_and_not_by_colour_alone(site: Path) -> None:
    html = (site / "runs/index.html").read_text()
    shapes = dict(re.findall(r'rh-state--(\w+)"><svg[^>]*>(.*?)</svg>', html, re.S))
    known = {"completed", "failed", "canceled", "lost", "running"}

    assert set(shapes) - {"unknown"} == known
    assert len({shapes[state] for state in known}) == 5


@pytest.mark.parametrize("where", ["index.html", "runs/index.html"])
def test_each_number_that_was_selected_on_its_images_says_so_and_no_other_does(where: str, site: Path) -> None:
    results = re.findall(
        r"<span class=rh-result[^>]*>.*?</span>\s*(?:<span class=rh-selected>|<)", (site / where).read_text(), re.S
    )
    insects = [row for row in rows((site / where).read_text()) if "pytorch-hymenoptera" in row and "completed" in row]
    numbers = [row for row in rows((site / where).read_text()) if " digits " in row and "completed" in row]

    assert results and insects and numbers
    assert all(SELECTED in row for row in insects)
    assert not any(SELECTED in row for row in numbers)


def test_a_run_that_stopped_early_says_after_how_many_epochs_and_why(site: Path) -> None:
    said = "Stopped early, after 12 of 20 epochs: no better check loss in 3."

    assert said in text(site, 20, 10)
    assert "Stopped early" not in text(site, 18, 9)


def test_a_run_s_page_says_selected_beside_verdict_metrics_classes_and_pictures(site: Path) -> None:
    html = page(site, 22, 9)
    headings = re.findall(r"<h2.*?</h2>", html, re.S)

    for name in ("metrics", "classes", "changed", "mistakes"):
        assert SELECTED in next(heading for heading in headings if f"id={name}>" in heading)
    verdict = re.search(r'<section class="rh-card rh-verdict.*?</section>', html, re.S)
    assert verdict and verdict[0].count(SELECTED) == 3  # the number, and both intervals
    assert SELECTED not in text(site, 23, 8)


def test_the_verdict_comes_before_everything_else_and_counts_the_images(site: Path) -> None:
    shown = text(site, 22, 9)

    assert "Better than its baseline 9 images won, 0 lost, McNemar p = 0.0039" in shown
    assert "95.0 % +15.0 points" in shown.replace("\u202f", " ")
    assert shown.index("Better than its baseline") < shown.index("Learning curves")


def test_a_difference_that_chance_explains_is_not_called_better_or_worse(site: Path) -> None:
    assert "No clear difference to its baseline" in text(site, 23, 8)
    assert "Better than" not in text(site, 23, 8) and "Worse than" not in text(site, 23, 8)


def test_the_first_run_says_why_it_is_not_compared(site: Path) -> None:
    assert "no earlier completed run in experiment digits" in text(site, 18, 9)


def test_parameters_that_differ_from_the_baseline_are_marked_with_what_they_were(site: Path) -> None:
    marked = [parse(f"<tr{row}").text for row in page(site, 22, 9).split("<tr") if 'class="rh-differs"' in row]

    assert marked == ["epochs 60 was 30", "lr 0.01 was 0.1", "mode frozen was finetune", "seed 4 was 3"]


@pytest.mark.parametrize(
    ("day", "hour", "headline", "cause"),
    [
        (19, 15, "Failed", "OutOfMemoryError"),
        (21, 7, "Lost: its process is gone", "4711"),
        (22, 13, "Canceled", "stopped by a signal"),
        (23, 12, "Still running", "filled in as the run goes on"),
    ],
)
def test_a_run_without_a_result_has_its_cause_on_top(
    day: int, hour: int, headline: str, cause: str, site: Path
) -> None:
    shown = text(site, day, hour)
    shown = shown[shown.index("all runs") :]

    assert shown.index(headline) < shown.index(cause) < shown.index("Events")


def test_a_run_that_broke_off_shows_its_log_before_its_parameters_and_its_end_first(site: Path) -> None:
    html = page(site, 19, 15)

    assert html.index("id=log>") < html.index("id=parameters>")
    assert html.count("rh-log--end") == 2, "the traceback, and the log"
    assert "rh-log--end" not in page(site, 22, 9)
    assert page(site, 22, 9).index("id=parameters>") < page(site, 22, 9).index("id=files>")


def test_a_run_that_was_stopped_says_how_it_goes_on(site: Path) -> None:
    for day, hour in ((21, 7), (22, 13)):
        assert "dvc repro on that machine goes on from the last checkpoint" in text(site, day, hour)
    assert "goes on from" not in text(site, 19, 15), "what fails would fail again"


def test_a_lost_run_still_shows_the_epochs_it_left(site: Path) -> None:
    assert "id=curves>" in page(site, 21, 7)
    assert 'id="curves"' not in page(site, 19, 15)


def test_curves_have_a_title_a_description_labels_and_the_kept_epoch(site: Path) -> None:
    html = page(site, 22, 9)
    charts = re.findall(r'<figure class="rh-chart">.*?</figure>', html, re.S)

    assert len(charts) == 2
    for chart in charts:
        found = parse(chart)
        (drawing, *_) = [tag for tag in found.all("svg") if "aria-labelledby" in tag]
        assert set(drawing["aria-labelledby"].split()) <= set(found.ids())
        assert "check" in found.text and "train" in found.text and "kept" in found.text
    assert "rh-chosen" in html


def test_mistakes_are_shown_the_most_confident_first_with_thumbnails_written_once(site: Path) -> None:
    section = page(site, 22, 9).split("id=mistakes>")[1].split("<details")[0]
    shares = [float(share) for share in re.findall(r"rh-gallery__share>([\d.]+)", section)]
    pictures = [image["src"] for image in parse(section).all("img")]

    assert shares == sorted(shares, reverse=True) and len(shares) == 3
    assert len(pictures) == 3 and all(
        re.fullmatch(r"\.\./media/([0-9a-f]{2})/\1[0-9a-f]{62}\.jpg", one) for one in pictures
    )
    assert all((site / "runs" / one).read_bytes().startswith(b"\xff\xd8\xff") for one in pictures)


def test_the_images_won_and_lost_are_as_many_as_the_verdict_says(site: Path) -> None:
    shown = text(site, 23, 8)

    assert "5 images won, 7 lost" in shown
    assert "Won: 5" in shown and "Lost: 7" in shown


def test_a_run_can_be_made_again_by_the_commands_on_its_page(site: Path) -> None:
    html = page(site, 22, 9)
    assert f"<pre><code>runhive runs reproduce {PLANS[22, 9].run_id}</code></pre>" in html
    assert "uncommitted changes in 2 files" in parse(html).text
    assert "uncommitted changes in" not in text(site, 23, 8)


def test_lineage_leads_from_the_data_over_the_run_to_the_onnx_file(site: Path) -> None:
    chain = page(site, 22, 9).split("class=rh-lineage>")[1].split("</ol>")[0]

    assert re.findall(r"rh-lineage__kind>(\w+)<", chain) == ["data", "code", "run", "weights", "ONNX"]
    assert [len(re.findall("rh-lineage__kind", item)) for item in chain.split("<li>")[1:]] == [2, 1, 1, 1]
    assert parse(chain).addresses()[0].startswith("../data/")


def test_every_exported_file_has_its_size_its_speed_and_the_answers_that_it_changed(site: Path) -> None:
    said = text(site, 22, 9).replace("\u202f", " ").replace("\u00a0", " ")

    assert "ONNX fp32 44.7 MB 7.63 ms 6.91 ms 1.9 × 10⁻⁶ 100.0 %" in said
    assert "ONNX int8 11.3 MB 2.21 ms 1.94 ms 0.18 98.3 %" in said
    assert "fp16 is left out: it answers 2 images otherwise than torch, 3.3%, more than is allowed." in said
    assert "1 image that int8 answers otherwise val/ants/000.jpg: ants → bees" in said


def test_home_shows_the_best_and_the_latest_run_of_each_experiment(site: Path) -> None:
    cards = (site / "index.html").read_text().split('class="rh-card rh-experiment"')[1:]
    insects, numbers = (parse(f"<div{card}").text for card in cards)

    assert "pytorch-hymenoptera 7 runs Best 95.0" in insects.replace("\u202f", " ")
    assert PLANS[22, 9].run_id in insects and f"Latest running {PLANS[23, 12].run_id}" in insects
    assert PLANS[21, 16].run_id in numbers and PLANS[23, 8].run_id in numbers


def test_the_trend_links_each_point_to_its_run_and_draws_the_interval(site: Path) -> None:
    html = (site / "index.html").read_text()
    points = re.findall(r'<a href="(runs/[\w-]+\.html)"><circle', html)

    assert len(points) == 8
    assert html.count("class=rh-band") == 2


def test_three_hundred_classes_are_cut_to_the_most_confused_and_the_page_says_so(hostile_site: Path) -> None:
    found = read(hostile_site / "runs/20261101-000300-abcdef.html")

    assert "the 20 most confused of 300 classes" in found.text
    assert "Most frequent mistakes" in found.text
    html = (hostile_site / "runs/20261101-000300-abcdef.html").read_text()
    matrix = html.split("Confusion matrix:")[1].split("</table>")[0]
    assert matrix.count("<td") == 1 + 400


def test_a_run_without_images_shows_its_own_metric(hostile_site: Path) -> None:
    shown = read(hostile_site / "runs/20261101-000204-abcdef.html").text

    assert "rmse on val 21.5" in shown and "house-prices" in shown
    assert "Mistakes" not in shown and "Confusion" not in shown


def test_a_command_of_ones_own_is_named_escaped_and_no_line_to_copy_holds_it(hostile_site: Path) -> None:
    html = (hostile_site / "runs/20261101-000205-abcdef.html").read_text()
    shown = parse(html).text

    assert "runhive runs show 20261101-000205-abcdef" in shown
    assert "sh -c" not in shown
    assert "run 1.0 s" in shown


def test_parts_that_cannot_be_read_are_named_and_left_out(hostile_site: Path) -> None:
    shown = read(hostile_site / "runs/20261101-000202-abcdef.html").text

    for part in ("data", "training", "evaluation", "parity"):
        assert f"The record's {part} part is not as this Runhive writes it" in shown


def test_a_run_id_that_is_none_gets_no_page() -> None:
    from runhive.errors import RunhiveError
    from runhive.report.summary import summarize

    with pytest.raises(RunhiveError, match="is not a run id"):
        summarize(Run("../../index", "completed", 1, "2026-11-23T00:00:00+00:00"))

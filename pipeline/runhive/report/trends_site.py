"""The page of trends: its static charts, the marks that its script draws, and the feed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from runhive.report.feed import atom
from runhive.report.series import Series
from runhive.report.shards import write_shard
from runhive.report.shell import read_shell
from runhive.report.templates import render
from runhive.report.trends import trends_data, trends_page

FEED = "changes.xml"
SCRIPTS = (
    "filter.js", "numerals.js", "changes.js", "elements.js", "fragment.js", "colours.js", "line-chart.js",
    "measured.js", "trends.js",
)  # fmt: skip


def write_trends(
    by_experiment: Mapping[str, Sequence[Series]], runs: int, shards: Sequence[str], work: Path, has_charts: bool
) -> None:
    """Write trends/ below *work*; *shards* are the paths of the table of all *runs* in the site."""
    page = trends_page(by_experiment)
    marks = write_shard(work, "trends", trends_data(by_experiment))
    scripts = SCRIPTS if has_charts else ()
    loaded = {"shards": [*shards, marks], "scripts": scripts, "has_charts": has_charts}
    body = render("trends.html", page=page, runs=runs, **loaded)
    index = work / "trends/index.html"
    index.write_bytes(read_shell(index, "runhive-trends").fill(body))
    (work / "trends" / FEED).write_bytes(atom(page.flags))

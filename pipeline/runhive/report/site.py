"""`runhive report`: the ledger's runs become the static site. Reads the ledger and docs/, writes only the site."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from runhive.report.data_site import page_names, write_data_pages
from runhive.report.home import home
from runhive.report.models import page_of, registry_state
from runhive.report.models_site import write_model_pages
from runhive.report.numerals import epoch_of
from runhive.report.run_page import run_page
from runhive.report.shell import read_shell, render_shell
from runhive.report.stamp import Stamp
from runhive.report.summary import Summary, summarize
from runhive.report.swap import building_folder, swap, sweep
from runhive.report.templates import render
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.registry.catalog import Catalog, read_catalog

ASSETS = Path(__file__).with_name("assets")
STAMP = "stamp.json"
RUNS_A_PAGE = 500
LONGEST_BUILD = 600.0  # seconds that a second build waits for the first


def build(ledger: Ledger, source: Path, site: Path) -> Stamp:
    """Build the site of *ledger* with the shell in *source* (mkdocs.yml and docs/) and put it in the place of *site*.

    The old site stays until the new one is whole; of two builds at once, the second waits.
    """
    site = site.absolute()
    site.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(site.with_name(f".{site.name}.lock"), LONGEST_BUILD):
        sweep(site)
        work = building_folder(site)
        try:
            stamp = _fill(ledger, source, work)
            swap(work, site)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return stamp


def _fill(ledger: Ledger, source: Path, work: Path) -> Stamp:
    tip = ledger.tip()
    summaries = [summarize(run) for run in ledger.runs()]
    render_shell(source, work, _newest(summaries))
    (work / "404.html").unlink(missing_ok=True)  # its links begin with a slash: dead from file:// and in project pages
    shutil.copytree(ASSETS, work / "assets", dirs_exist_ok=True)
    catalog = read_catalog(ledger)
    _write_home(summaries, catalog, work)
    _write_tables(summaries, work)
    write_data_pages([summary.run for summary in summaries], ledger, work)
    write_model_pages(catalog, [summary.run for summary in summaries], ledger, work)
    _write_run_pages(summaries, catalog, ledger, work)
    stamp = Stamp(ledger=tip, runs=len(summaries))
    stamp.write(work / STAMP)
    return stamp


def _write_home(summaries: Sequence[Summary], catalog: Catalog, work: Path) -> None:
    page = work / "index.html"
    body = render("home.html", home=home(summaries), models=registry_state(catalog))
    page.write_bytes(read_shell(page, "runhive-home").fill(body))


def _write_tables(summaries: Sequence[Summary], work: Path) -> None:
    """Write the table of runs, a page for every 500."""
    shell = read_shell(work / "runs/index.html", "runhive-runs")
    starts = range(0, max(1, len(summaries)), RUNS_A_PAGE)
    names = ["index.html", *(f"page-{number}.html" for number in range(2, len(starts) + 1))]
    for index, start in enumerate(starts):
        rows = summaries[start : start + RUNS_A_PAGE]
        body = render("runs.html", summaries=rows, total=len(summaries), first=start + 1, names=names, index=index)
        (work / "runs" / names[index]).write_bytes(shell.fill(body))


def _write_run_pages(summaries: Sequence[Summary], catalog: Catalog, ledger: Ledger, work: Path) -> None:
    """Write runs/<run_id>.html beside their shell, which goes away."""
    shell = read_shell(work / "runs/run.html", "runhive-run")
    (work / "runs/run.html").unlink()
    known = {summary.run_id: summary for summary in summaries}
    data_pages = page_names([summary.run for summary in summaries])
    for index, summary in enumerate(summaries):
        baseline = known.get(summary.verdict.baseline or "")
        page = run_page(summary, baseline, ledger, work)
        newer = summaries[index - 1].run_id if index else None
        older = summaries[index + 1].run_id if index + 1 < len(summaries) else None
        versions = [(one.title, page_of(one)) for one in catalog.versions_of(summary.run_id)]
        body = render("run.html", page=page, newer=newer, older=older, data_pages=data_pages, versions=versions)
        (work / "runs" / f"{summary.run_id}.html").write_bytes(shell.fill(body, summary.run_id))


def _newest(summaries: Sequence[Summary]) -> int:
    """When the last event happened, in seconds since 1970: the site's date, however late it is built.

    A wrong clock may have written any time; gzip, which MkDocs uses, holds 32 bits.
    """
    times = [
        time for summary in summaries for event in summary.run.events if (time := epoch_of(event.time)) is not None
    ]
    return min(max(0, int(max(times, default=0.0))), 2**32 - 1)

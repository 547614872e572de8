"""The pages of the models: one for all of them, one for each version."""

from collections.abc import Mapping
from pathlib import Path

from runhive.report.models import MOST_SHOWN, model_view, page_of, version_page
from runhive.report.models_trend import trends
from runhive.report.shell import read_shell
from runhive.report.summary import Summary
from runhive.report.templates import render
from runhive.report.tryit.offer import TryIt
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.registry.catalog import Catalog


def write_model_pages(
    catalog: Catalog, ledger: Ledger, work: Path, summaries: Mapping[str, Summary], offers: Mapping[str, TryIt]
) -> None:
    """Write models/ below *work*. *summaries* are the runs of versions, by title, as are *offers* to try them."""
    shell = read_shell(work / "models/index.html", "runhive-models")
    page = read_shell(work / "models/version.html", "runhive-version")
    (work / "models/version.html").unlink()
    known = {run_id: ledger.run(run_id) for run_id in catalog.run_ids() if ledger.has(run_id)}
    views = [model_view(model, known) for model in catalog.models.values()]
    charts = {view.name: trends(f"versions-{index}", view) for index, view in enumerate(views)}
    (work / "models/index.html").write_bytes(shell.fill(render("models.html", views=views, trends=charts)))
    for model in catalog.models.values():
        for one in model.versions[-MOST_SHOWN:]:
            try_it = offers.get(one.title)
            found = version_page(one, model, known.get(one.tag.run_id), ledger, try_it)
            body = render("models_version.html", page=found, model=model, summary=summaries.get(one.title))
            wasm = bool(try_it and try_it.model)
            (work / "models" / page_of(one)).write_bytes(page.fill(body, one.title, wasm))

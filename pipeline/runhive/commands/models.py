"""Commands that read the versions of models, and the group of all that concern them."""

from pathlib import Path

import click

from runhive.commands.model_changes import CHANGES
from runhive.commands.model_marks import MARKS
from runhive.commands.options import AS_JSON


@click.group()
def models() -> None:
    """Versions of models: register, promote, download.

    A VERSION is NAME@v1.2.0, NAME@3 by its plain number, NAME@latest or NAME#ALIAS; where there is one model, its
    NAME may be left out.
    """


@models.command("list")
@click.argument("name", required=False)
@click.option("--all", "archived", is_flag=True, help="Archived versions too.")
@AS_JSON
def list_models(name: str | None, archived: bool, as_json: bool) -> None:
    """List the versions of all models, or of NAME."""
    from runhive.terminal.models import print_models, print_models_as_json
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.find import find_model

    catalog = read_catalog(open_ledger())
    chosen = [find_model(catalog, name)] if name else list(catalog.models.values())
    (print_models_as_json if as_json else print_models)(chosen, archived)


@models.command()
@click.argument("version")
@AS_JSON
def show(version: str, as_json: bool) -> None:
    """Show the card of VERSION."""
    from runhive.terminal.models import print_version, version_facts
    from runhive.terminal.output import print_json
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.find import find_version

    ledger = open_ledger()
    found = find_version(read_catalog(ledger), version)
    if as_json:
        print_json(version_facts(found))
    else:
        print_version(ledger, found)


@models.command()
@click.argument("name", required=False)
def history(name: str | None) -> None:
    """Show all that was done with a model: registered, promoted, rolled back, deprecated."""
    from runhive.terminal.models import print_history
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.find import find_model

    print_history(find_model(read_catalog(open_ledger()), name or ""))


@models.command()
@click.argument("word", metavar="VERSION|RUN")
def lineage(word: str) -> None:
    """Show what VERSION was made from, or which versions RUN became."""
    from runhive.terminal.models import print_lineage, print_lineage_of_run
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.ledger.run import RUN_ID
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.find import find_version

    ledger = open_ledger()
    catalog = read_catalog(ledger)
    if RUN_ID.fullmatch(word):
        print_lineage_of_run(catalog, ledger.run(word).run_id)
    else:
        print_lineage(catalog, find_version(catalog, word))


@models.command()
@click.argument("first", metavar="VERSION")
@click.argument("second", metavar="OTHER")
def diff(first: str, second: str) -> None:
    """Show what differs between two versions: metrics, answers, parameters, data, sizes."""
    from runhive.terminal.models import print_diff
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.find import find_version

    ledger = open_ledger()
    catalog = read_catalog(ledger)
    print_diff(ledger, find_version(catalog, first), find_version(catalog, second))


@models.command()
@click.argument("version")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--repo", metavar="URL", help="The repository, where this is no clone of it.")
@click.option("--force", is_flag=True, help="Replace files that are there with other content.")
def download(version: str, folder: Path | None, repo: str | None, force: bool) -> None:
    """Copy the files of VERSION into FOLDER, each checked by its SHA-256: weights, ONNX, card, provenance.

    Example: runhive models download hymenoptera#prod model --repo https://git.example.org/hive.git
    """
    from contextlib import nullcontext

    from runhive.report.model_card import card_of, markdown
    from runhive.terminal.output import print_line
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.download import download as fetch
    from runhive.tracking.registry.elsewhere import fetched
    from runhive.tracking.registry.find import find_version
    from runhive.tracking.repository import main_root

    with fetched(repo) if repo else nullcontext(main_root()) as root:
        ledger = open_ledger(root)
        found = find_version(read_catalog(ledger), version)
        to = folder or Path(found.title)
        card = markdown(card_of(found, ledger.run(found.tag.run_id), ledger)) if found.event else ""
        done = fetch(root, found, to, card, force, version)
    print_line(f"{found.title} is in {to}: {', '.join([*done.written, *done.there])}")


@models.command()
def verify() -> None:
    """Check that the bytes, digests and lineage of every version are there and hold."""
    from runhive.errors import RunhiveError
    from runhive.terminal.output import print_line
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.check import check
    from runhive.tracking.repository import main_root

    root = main_root()
    ledger = open_ledger(root)
    checked = check(ledger, root, read_catalog(ledger))
    for one in checked:
        for problem in one.problems:
            print_line(f"{one.title}: {problem}")
    wrong = sum(bool(one.problems) for one in checked)
    if wrong:
        raise RunhiveError(f"{wrong} of {len(checked)} do not hold: mend what is said above")
    print_line(f"{len(checked)} version{'s hold' if len(checked) != 1 else ' holds'}")


for command in (*CHANGES, *MARKS):
    models.add_command(command)

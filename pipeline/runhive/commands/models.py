"""Commands about the versions of models."""

from pathlib import Path

import click

from runhive.commands.options import AS_JSON

FORCE = click.option("--force", is_flag=True, help="Go on against the gate; needs --reason.")
REASON = click.option("--reason", metavar="TEXT", default="", help="Why; it is kept in the ledger.")
LOCAL = click.option("--local", is_flag=True, help="Do not reach for the Git remote: others do not see it.")


@click.group()
def models() -> None:
    """Versions of models: register, promote, download.

    A VERSION is NAME@v1.2.0, NAME@3 by its plain number, NAME@latest or NAME#ALIAS; where there is one model, its
    NAME may be left out.
    """


@models.command()
@click.argument("run", required=False)
@click.option("--name", metavar="NAME", help="The artifact of dvc.yaml; by default the only one.")
@click.option("--bump", type=click.Choice(["major", "minor", "patch"]), help="How the number rises.")
@FORCE
@REASON
@LOCAL
def register(run: str | None, name: str | None, bump: str | None, force: bool, reason: str, local: bool) -> None:
    """Make RUN, by default the one that HEAD's dvc.lock holds, a version of its model.

    Its code has to be committed with its dvc.lock. The version is a tag as GTO makes it, and a record in the ledger.
    """
    from runhive.commands.root import enter_root
    from runhive.gate.admission import admit_version
    from runhive.params import load_params
    from runhive.terminal.models import print_verdict
    from runhive.terminal.output import print_line
    from runhive.tracking.registry.objects import send
    from runhive.tracking.registry.register import plan_version
    from runhive.tracking.registry.writing import registry_of
    from runhive.tracking.repository import main_root

    enter_root()
    gate = load_params(Path("params.yaml")).gate
    with registry_of(main_root(), not local) as registry:
        plan = plan_version(registry, run, name, bump)
        remote = None if local else send(registry.root, [file["md5"] for file in plan.data["files"].values()])
        verdict = admit_version(registry, plan, gate if gate.on_register else None, force, reason)
    print_line(f"{plan.title} is run {plan.run.run_id} now")
    if verdict:
        print_verdict(verdict.kept())
    if registry.remote and not remote:
        click.echo(
            "its files are in this machine's DVC cache alone: `dvc remote add -d NAME URL`, `dvc push`", err=True
        )


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
@click.argument("version")
@click.argument("alias")
@FORCE
@REASON
@LOCAL
def promote(version: str, alias: str, force: bool, reason: str, local: bool) -> None:
    """Give ALIAS to VERSION, if the gate admits it against the version that has it.

    Example: runhive models promote hymenoptera@v1.1.0 prod
    """
    from runhive.commands.root import enter_root
    from runhive.gate.admission import admit_promotion
    from runhive.params import load_params
    from runhive.terminal.models import print_verdict
    from runhive.terminal.output import print_line
    from runhive.tracking.registry.find import find_model, find_version
    from runhive.tracking.registry.writing import registry_of
    from runhive.tracking.repository import main_root

    enter_root()
    gate = load_params(Path("params.yaml")).gate
    with registry_of(main_root(), not local) as registry:
        catalog = registry.catalog()
        found = find_version(catalog, version)
        verdict = admit_promotion(registry, find_model(catalog, found.name), found, alias, gate, force, reason)
    print_line(f"{found.name}#{alias} is {found.title} now")
    print_verdict(verdict.kept())


@models.command()
@click.argument("alias", metavar="[NAME#]ALIAS")
@REASON
@LOCAL
def rollback(alias: str, reason: str, local: bool) -> None:
    """Give ALIAS back to the version that had it before; the gate is not asked."""
    from runhive.terminal.output import print_line
    from runhive.tracking.registry import promote
    from runhive.tracking.registry.find import find_model
    from runhive.tracking.registry.writing import registry_of
    from runhive.tracking.repository import main_root

    name, _, word = alias.rpartition("#")
    with registry_of(main_root(), not local) as registry:
        model = find_model(registry.catalog(), name)
        target = promote.rollback(registry, model, word, reason)
    print_line(f"{model.name}#{word} is {target.title} again")


@models.command()
@click.argument("version")
@REASON
@LOCAL
def deprecate(version: str, reason: str, local: bool) -> None:
    """Say that nobody should use VERSION any more; what it is stays readable."""
    from runhive.terminal.output import print_line
    from runhive.tracking.registry import mark
    from runhive.tracking.registry.find import find_version
    from runhive.tracking.registry.writing import registry_of
    from runhive.tracking.repository import main_root

    with registry_of(main_root(), not local) as registry:
        found = find_version(registry.catalog(), version)
        mark.deprecate(registry, found, reason)
    print_line(f"{found.title} is deprecated")


def _archiving(command: str, archived: bool, help_text: str) -> click.Command:
    @click.command(command, help=help_text)
    @click.argument("version")
    @LOCAL
    def archiving(version: str, local: bool) -> None:
        from runhive.terminal.output import print_line
        from runhive.tracking.registry import mark
        from runhive.tracking.registry.find import find_version
        from runhive.tracking.registry.writing import registry_of
        from runhive.tracking.repository import main_root

        with registry_of(main_root(), not local) as registry:
            found = find_version(registry.catalog(), version)
            changed = mark.archive(registry, found, archived)
        print_line(f"{found.title}: {'' if changed else 'already '}{command}d")

    return archiving


@models.command()
@click.argument("version")
@click.argument("text", required=False)
@LOCAL
def note(version: str, text: str | None, local: bool) -> None:
    """Replace the notes of VERSION by TEXT; without TEXT, print them."""
    from runhive.terminal.output import print_line
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.registry import mark
    from runhive.tracking.registry.catalog import read_catalog
    from runhive.tracking.registry.find import find_version
    from runhive.tracking.registry.writing import registry_of
    from runhive.tracking.repository import main_root

    if text is None:
        for line in find_version(read_catalog(open_ledger()), version).notes.splitlines():
            print_line(line)
        return
    with registry_of(main_root(), not local) as registry:
        found = find_version(registry.catalog(), version)
        mark.note(registry, found, text)
    print_line(f"{found.title}: noted")


@models.command(context_settings={"ignore_unknown_options": True})
@click.argument("version")
@click.argument("changes", nargs=-1, type=click.UNPROCESSED, metavar="[+TAG | -TAG]...")
@LOCAL
def tag(version: str, changes: tuple[str, ...], local: bool) -> None:
    """Add and remove tags of VERSION; without changes, print them."""
    from runhive.terminal.output import print_line
    from runhive.tracking.registry import mark
    from runhive.tracking.registry.find import find_version
    from runhive.tracking.registry.writing import registry_of
    from runhive.tracking.repository import main_root

    add = [word.removeprefix("+") for word in changes if not word.startswith("-")]
    remove = [word.removeprefix("-") for word in changes if word.startswith("-")]
    with registry_of(main_root(), not local and bool(changes)) as registry:
        found = find_version(registry.catalog(), version)
        tags = mark.tag(registry, found, add, remove)
    print_line(f"{found.title}: {', '.join(tags) or 'no tags'}")


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
    print_line(f"{len(checked)} versions hold")


models.add_command(_archiving("archive", True, "Leave VERSION out of lists; nothing is deleted."))
models.add_command(_archiving("unarchive", False, "Let an archived VERSION into lists again."))

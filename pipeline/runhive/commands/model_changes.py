"""Commands that make versions of models and give them their aliases."""

from pathlib import Path

import click

from runhive.commands.options import LOCAL, REASON

FORCE = click.option("--force", is_flag=True, help="Go on against the gate; needs --reason.")


@click.command()
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


@click.command()
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


@click.command()
@click.argument("alias", metavar="[NAME#]ALIAS")
@click.option("--to", default="", metavar="VERSION", help="An earlier one that had it, such as v1.0.0.")
@REASON
@LOCAL
def rollback(alias: str, to: str, reason: str, local: bool) -> None:
    """Give ALIAS back to the version that had it before; the gate is not asked.

    Without --to it goes back once after a promotion, however often and by whomever it is asked for.
    """
    from runhive.terminal.output import print_line
    from runhive.tracking.registry import promote
    from runhive.tracking.registry.find import find_model
    from runhive.tracking.registry.writing import registry_of
    from runhive.tracking.repository import main_root

    name, _, word = alias.rpartition("#")
    with registry_of(main_root(), not local) as registry:
        model = find_model(registry.catalog(), name)
        target = promote.rollback(registry, model, word, to, reason)
    print_line(f"{model.name}#{word} is {target.title} again")


@click.command()
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


CHANGES = (register, promote, rollback, deprecate)

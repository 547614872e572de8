"""Commands about compute targets."""

import click

from runhive.commands.options import AS_JSON
from runhive.commands.root import enter_root
from runhive.errors import RunhiveError


@click.group()
def compute() -> None:
    """Where runs can be sent: this machine, and the runners of GitHub Actions that params.yaml names under compute."""


@compute.command("list")
@AS_JSON
def list_targets(as_json: bool) -> None:
    """List the targets, and how many runners of each are online and busy."""
    from runhive.compute.here import PARAMS, github_here
    from runhive.compute.runners import Runner, fitting, is_hosted, list_runners
    from runhive.compute.table import print_targets, targets_as_json
    from runhive.params import load_params

    enter_root()
    compute, github = load_params(PARAMS).compute, github_here()
    states: dict[str, list[Runner] | None] = {}
    for name, target in compute.targets.items():
        try:
            states[name] = None if is_hosted(target) else fitting(list_runners(github, target), target)
        except RunhiveError as error:
            click.echo(f"runhive: {name}: {error}", err=True)
            states[name] = None
    (targets_as_json if as_json else print_targets)(compute, states)


@compute.command("show")
@click.argument("target", required=False)
@click.option("--box", "form", flag_value="box", help="Print the settings file of a single box instead.")
@click.option("--helm", "form", flag_value="helm", help="Print Helm values of a scale set instead.")
@AS_JSON
def show_target(target: str | None, form: str | None, as_json: bool) -> None:
    """Show one target, the default without TARGET: its settings, and the runners that fit it."""
    from runhive.compute.files import box_settings, helm_values
    from runhive.compute.here import PARAMS, github_here
    from runhive.compute.runners import fitting, is_hosted, list_runners
    from runhive.compute.table import print_target, target_as_json
    from runhive.compute.targets import find_target
    from runhive.params import load_params

    enter_root()
    name, found = find_target(load_params(PARAMS).compute, target)
    if found is None and (form or as_json):
        raise RunhiveError(f"{name} is this machine and has no settings: name another target")
    if form and found:
        repository = github_here().repository
        click.echo((box_settings if form == "box" else helm_values)(repository, name, found), nl=False)
        return
    runners = fitting(list_runners(github_here(), found), found) if found and not is_hosted(found) else []
    if as_json and found:
        target_as_json(found, runners)
    else:
        print_target(name, found, runners)


@compute.command("check")
@click.argument("target", required=False)
@click.option("--nodes", type=click.IntRange(min=1), metavar="N", help="For a run on N machines.")
def check(target: str | None, nodes: int | None) -> None:
    """Say what is missing before TARGET, the default without one, can take a run; exit with 1 where something is."""
    from runhive.compute.check import check_target
    from runhive.compute.here import PARAMS, github_here
    from runhive.compute.submission import wanted
    from runhive.compute.targets import find_target
    from runhive.terminal.output import print_line

    enter_root()
    asked = wanted(PARAMS, (), nodes)
    name, found = find_target(asked.params.compute, target)
    if found is None:
        print_line(f"{name}: ready: it is this machine")
        return
    report = check_target(github_here(), name, found, asked.params)
    for note in report.notes:
        print_line(note)
    if report.problems:
        raise RunhiveError("\n".join(report.problems))
    online = sum(one.online for one in report.runners)
    print_line(f"{name}: ready: {online} online, {sum(one.busy for one in report.runners)} busy")

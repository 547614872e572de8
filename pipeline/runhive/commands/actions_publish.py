"""Commands of the workflows register and pages."""

from pathlib import Path

import click

from runhive.commands.actions_train import OUTPUTS


@click.command()
@click.argument("assets", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@OUTPUTS
def register(assets: Path | None, outputs: Path) -> None:
    """Register the model that HEAD holds, if it is new and the gate admits it; put what a release has into DIR.

    The output `version` is its name, or empty where there was nothing to register. Without DIR it only looks: the
    output `new` is the run to register, or empty. The gate needs the images of its evaluation sets.
    """
    from runhive.actions.outputs import write_outputs
    from runhive.actions.register import Registered, look, register_new
    from runhive.params import load_params
    from runhive.terminal.models import print_verdict
    from runhive.terminal.output import print_line
    from runhive.tracking.repository import main_root

    if assets is None:
        found = look(main_root())
        print_line(found if isinstance(found, str) else f"run {found.run_id} has a new model")
        write_outputs(outputs, {"new": "" if isinstance(found, str) else found.run_id})
        return
    made = register_new(main_root(), load_params(Path("params.yaml")).gate, assets)
    if not isinstance(made, Registered):
        print_line(made)
        write_outputs(outputs, {"version": ""})
        return
    print_line(f"{made.title} is run {made.run_id} now")
    print_verdict(made.verdict.kept())
    write_outputs(outputs, {"version": made.title})


@click.command()
def site() -> None:
    """Check that the site may be deployed to GitHub Pages: nobody may read it who may not read the repository."""
    from runhive.actions.github import GitHub, find_repository
    from runhive.actions.pages import check_pages
    from runhive.params import load_params
    from runhive.terminal.output import print_line
    from runhive.tracking.repository import main_root, open_repository

    public = load_params(Path("params.yaml")).pages.public
    print_line(check_pages(GitHub(find_repository(open_repository(main_root()))), public))


PUBLISHING = (register, site)

"""Commands about params.yaml."""

from pathlib import Path

import click


@click.command()
@click.argument("preset", required=False)
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
def use(preset: str | None, changes: tuple[str, ...]) -> None:
    """Write params.yaml from PRESET, with some keys changed; alone, list the presets.

    Example: runhive use hymenoptera train.mode=frozen
    """
    from runhive import presets
    from runhive.commands.root import enter_root

    if preset is None:
        click.echo(presets.describe())
        return
    came_from = Path.cwd()
    enter_root()
    used = presets.use(preset, changes, Path("params.yaml"))
    where = "params.yaml" if Path.cwd() == came_from else Path("params.yaml").absolute()
    click.echo(f"{where} holds {preset} now: run `dvc repro`")
    if used.kept:
        click.echo(f"what it held before is kept in {used.kept}", err=True)
    if used.missing:
        click.echo(
            f"warning: data.url: there is no {used.missing} here yet: put the images there, or name another", err=True
        )


@click.command()
def schema() -> None:
    """Print the JSON schema of params.yaml, for editors."""
    from runhive.params import json_schema

    click.echo(json_schema(), nl=False)

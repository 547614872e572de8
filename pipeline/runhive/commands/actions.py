"""Commands that GitHub's workflows call."""

import click


@click.group()
def actions() -> None:
    """What GitHub's workflows call; by hand they are of use for tests alone."""

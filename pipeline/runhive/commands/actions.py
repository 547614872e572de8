"""Commands that GitHub's workflows call."""

import click

from runhive.commands.actions_publish import PUBLISHING
from runhive.commands.actions_train import TRAINING


@click.group()
def actions() -> None:
    """What GitHub's workflows call; by hand they are of use for tests alone."""


for command in (*TRAINING, *PUBLISHING):
    actions.add_command(command)

"""Commands that say something about a run after the fact."""

import sys

import click

WORDS = {"ignore_unknown_options": True}  # `-old` is a tag to take away


@click.command(context_settings=WORDS)
@click.argument("run")
@click.argument("changes", nargs=-1, type=click.UNPROCESSED, metavar="[+TAG | -TAG]...")
def tag(run: str, changes: tuple[str, ...]) -> None:
    """Add and remove tags of RUN; without changes, print them.

    Example: runhive runs tag latest +best -candidate
    """
    from runhive.terminal.output import print_line
    from runhive.tracking import marks
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find

    ledger = settled_ledger()
    add = [word.removeprefix("+") for word in changes if not word.startswith("-")]
    remove = [word.removeprefix("-") for word in changes if word.startswith("-")]
    found = find(ledger, run)
    tags = marks.tag(ledger, found, add, remove)
    print_line(f"{found.run_id}: {', '.join(tags) or 'no tags'}")


@click.command()
@click.argument("run")
@click.argument("text", required=False)
def note(run: str, text: str | None) -> None:
    """Replace the notes of RUN by TEXT, or by what is read from stdin where TEXT is `-`; without TEXT, print them."""
    from runhive.terminal.output import print_line
    from runhive.tracking import marks
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find

    ledger = settled_ledger()
    found = find(ledger, run)
    if text is None:
        for line in found.notes.splitlines():
            print_line(line)
        return
    marks.note(ledger, found, sys.stdin.read().rstrip("\n") if text == "-" else text)
    print_line(f"{found.run_id}: noted")


@click.command()
@click.argument("run")
@click.argument("new_name", metavar="NAME")
def name(run: str, new_name: str) -> None:
    """Give RUN a display name."""
    from runhive.terminal.output import print_line
    from runhive.tracking import marks
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.naming import find

    ledger = settled_ledger()
    found = find(ledger, run)
    marks.name(ledger, found, new_name)
    print_line(f"{found.run_id}: {new_name or 'no name'}")


def _archiving(command: str, archived: bool, help_text: str) -> click.Command:
    @click.command(command, help=help_text)
    @click.argument("runs", nargs=-1, required=True, metavar="RUN...")
    def archiving(runs: tuple[str, ...]) -> None:
        from runhive.terminal.output import print_line
        from runhive.tracking import marks
        from runhive.tracking.life.liveness import settled_ledger
        from runhive.tracking.naming import find

        ledger = settled_ledger()
        for run in [find(ledger, word) for word in runs]:  # all are found before the first is changed
            changed = marks.archive(ledger, run, archived)
            print_line(f"{run.run_id}: {'' if changed else 'already '}{command}d")

    return archiving


MARKS = (
    tag,
    note,
    name,
    _archiving("archive", True, "Leave RUNs out of lists; nothing is deleted."),
    _archiving("unarchive", False, "Let archived RUNs into lists again."),
)

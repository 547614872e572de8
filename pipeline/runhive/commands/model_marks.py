"""Commands that say something of a version after the fact."""

import click

from runhive.commands.options import LOCAL


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


@click.command()
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


@click.command(context_settings={"ignore_unknown_options": True})
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


MARKS = (
    _archiving("archive", True, "Leave VERSION out of lists; nothing is deleted."),
    _archiving("unarchive", False, "Let an archived VERSION into lists again."),
    note,
    tag,
)

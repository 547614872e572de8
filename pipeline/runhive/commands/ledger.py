"""Commands that look after the history of runs: exchange it, check it, pack it, take a run out."""

import json
import re
from dataclasses import asdict
from datetime import timedelta

import click

from runhive.errors import RunhiveError
from runhive.tracking.ledger.states import STATES

AGE = re.compile(r"([1-9][0-9]{0,4})([dw])")
RESTORE = "Go on where the remote lost runs that it had: they are put back."


@click.command()
@click.argument("remote", required=False)
@click.option("--files", is_flag=True, help="First send what the runs keep in the DVC cache to the default DVC remote.")
@click.option("--restore", is_flag=True, help=RESTORE)
def push(remote: str | None, files: bool, restore: bool) -> None:
    """Send all runs to the Git remote REMOTE, and take in those that it has.

    REMOTE is `origin` where it is not named. Nothing is overwritten, however many people push at once.
    """
    from runhive.tracking.ledger.exchange import push_runs
    from runhive.tracking.life.liveness import settled_ledger

    ledger = settled_ledger()
    if files:
        from runhive.mistakes import one_line
        from runhive.tracking.repository import main_root
        from runhive.tracking.storage.upload import upload

        sent = upload(main_root(), ledger)
        click.echo(f"to the DVC remote {one_line(sent.remote)}: {sent.objects} new files")
    click.echo(push_runs(remote, restore))


@click.command()
@click.argument("remote", required=False)
@click.option("--restore", is_flag=True, help=RESTORE)
def pull(remote: str | None, restore: bool) -> None:
    """Take in the runs that the Git remote REMOTE has, `origin` where it is not named."""
    from runhive.tracking.ledger.exchange import pull_runs

    click.echo(pull_runs(remote, restore))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print counts and problems as JSON.")
def verify(as_json: bool) -> None:
    """Check every object, event, file and commit of the history; exit with 1 where something is wrong."""
    from runhive.mistakes import one_line
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.ledger.verify import verify

    verdict = verify(open_ledger().repository)
    if as_json:
        click.echo(json.dumps(asdict(verdict), indent=1, sort_keys=True))
    else:
        for problem in verdict.problems:
            click.echo(one_line(f"{problem.where}: {problem.what}"))
        click.echo(", ".join(f"{count} {what}" for what, count in verdict.counts.items()))
    if verdict.problems:
        raise RunhiveError(
            f"{len(verdict.problems)} problems: the lines above, or a clone's ledger, say what was there"
        )


@click.command()
@click.option("--cache", is_flag=True, help="Also free the DVC cache.")
@click.option("--remote", metavar="NAME", help="Also free the DVC remote NAME.")
@click.option("--older-than", metavar="AGE", help="Let go of runs older than this, such as 90d or 12w.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES[1:]), help="Let go of runs in this state.")
@click.option("--keep-tag", "tags", multiple=True, metavar="TAG", help="Never let go of runs with this tag.")
@click.option("--allow-missing", is_flag=True, help="Pass over directories whose listing is nowhere to be found.")
@click.option("--yes", is_flag=True, help="Delete; without it, gc only says what would go from DVC.")
def gc(
    cache: bool,
    remote: str | None,
    older_than: str | None,
    states: tuple[str, ...],
    tags: tuple[str, ...],
    allow_missing: bool,
    yes: bool,
) -> None:
    """Pack the history, and free DVC's storage of what no run and no commit needs.

    A run keeps its files in DVC until it is archived or purged. --older-than and --state let go of more: of the runs
    for which both hold, where both are given. The record of such a run stays. While a run is running here, nothing is
    freed.
    """
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.ledger.pack import pack
    from runhive.tracking.repository import main_root
    from runhive.tracking.storage.retention import Retention, kept_runs

    root = main_root()
    ledger = open_ledger(root)
    size = pack(ledger.repository)
    click.echo(f"the ledger: {size.runs} runs, {size.bytes:,} bytes, {size.bytes // max(size.runs, 1):,} a run")
    if not cache and remote is None:
        return
    from runhive.tracking.ledger.exchange import pull_everything
    from runhive.tracking.life.liveness import close_lost, refuse_while_running
    from runhive.tracking.life.silence import forget_silent
    from runhive.tracking.storage.dvc_cache import free
    from runhive.tracking.storage.turns import freeing

    close_lost(ledger, root)
    refuse_while_running(root)
    if remote is not None:
        pull_everything(ledger.repository)
    with freeing(root):
        refuse_while_running(root)  # again: a run that starts from here on waits until all is freed
        kept = kept_runs(ledger, Retention(age(older_than), states, tags))
        for store in [None] * cache + [remote] * (remote is not None):
            freed = free(root, ledger, kept, store, yes, allow_missing)
            verb = "freed" if yes else "would free"
            click.echo(
                f"{freed.where}: {verb} {freed.objects} objects, {freed.bytes:,} bytes; {len(kept)} runs keep theirs"
            )
    if remote is not None and (silent := forget_silent(root, remote, yes)):
        click.echo(f"the remote {remote}: {verb} the live lines of {silent} job{'s' * (silent > 1)} silent for a day")
    if not yes:
        click.echo("nothing was deleted: add --yes to delete it")


@click.command()
@click.argument("run_id")
@click.option("--because", required=True, metavar="WHY", help="The reason, which stays in the history.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(run_id: str, because: str, yes: bool) -> None:
    """Take the run RUN_ID out of the history for good: its events, files, pictures and all that they were.

    A stone stays that says who did it, when and why. Push afterwards, so that the other clones follow.
    """
    from runhive.tracking.ledger.ledger import open_ledger
    from runhive.tracking.ledger.objects import signature
    from runhive.tracking.ledger.purge import purge
    from runhive.tracking.ledger.run import RUN_ID

    ledger = open_ledger()
    whole_id = run_id if RUN_ID.fullmatch(run_id) else ledger.run(run_id).run_id
    if not yes:
        click.confirm(f"Take run {whole_id} out for good?", abort=True)
    author = signature(ledger.repository)
    purge(ledger.repository, whole_id, f"{author.name} <{author.email}>", because)
    click.echo(f"purged run {whole_id}: `runhive runs push` takes it out of the remote, `runhive runs gc` out of DVC")


def age(text: str | None) -> timedelta | None:
    """Parse an age such as 90d or 12w. Raises RunhiveError for anything else."""
    if text is None:
        return None
    match = AGE.fullmatch(text)
    if match is None:
        raise RunhiveError(f"{text!r} is no age: write days or weeks, such as 90d or 12w")
    return timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))

"""What comes of a repository that one has no clone of, where its host sends a part and where it sends all."""

from pathlib import Path

from harness import run
from many_runs import make_ledger, run_id
from page import table

from runhive.tracking.registry.elsewhere import fetched
from runhive.tracking.registry.tags import name_tag, write_tag

RUNS = 1_000
WHO = ("-c", "user.name=b", "-c", "user.email=b@example.org")


def downloading(folder: Path) -> str:
    """Bytes of objects that `models download --repo` fetches before the model itself; one run is a version."""
    folder.mkdir()
    repository = make_ledger(folder, RUNS).repository
    run(["git", *WHO, "commit", "--quiet", "--allow-empty", "--message", "x"], folder)
    repository.config["user.name"], repository.config["user.email"] = "b", "b@example.org"
    commit = str(repository.head.target)
    tag = write_tag(repository, "m@v1.0.0", commit, "Registering", run_id(RUNS // 2), "0" * 64, 0)
    assert name_tag(repository, None, "m@v1.0.0", tag)
    rows = []
    for filters, name in (("false", "all that the ledger's tip holds"), ("true", "what is needed")):
        run(["git", "config", "uploadpack.allowFilter", filters], folder)
        with fetched(str(folder)) as root:
            objects = [path for path in (root / ".git/objects").rglob("*") if path.is_file()]
            rows.append([name, f"{sum(path.stat().st_size for path in objects) / 1e6:.2f}"])
    return table((f"`models download --repo`, a ledger of {RUNS:,} runs", "MB fetched beside the model"), rows)

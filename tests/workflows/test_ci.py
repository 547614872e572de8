"""The pipeline on a hosted machine, for a fork's pull request too: `RUNHIVE_LONG=1` runs it, under act.

The other jobs of ci and workflow-security run the test suite itself, so they are not run from within it.
"""

import os

import events
import pytest
from team import Hive


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("RUNHIVE_LONG"), reason="takes minutes: RUNHIVE_LONG=1 runs it")
def test_a_forks_pull_request_trains_on_a_hosted_machine_and_leaves_the_site(hive: Hive) -> None:
    head = hive.pushed("change", "train.lr=0.003")
    event = events.pull_request(head, hive.main, action="synchronize", repository="stranger/bees")
    ran = hive.box.run("ci.yml", "pull_request", event, head, jobs=("demo",))

    assert ran.jobs == {"demo": "success"}, ran.output
    assert (hive.box.artifacts / str(ran.number) / "site/index.html").exists()

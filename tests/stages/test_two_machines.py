"""Training on two machines, each in a network namespace of its own: an end or a recovery in time, whatever is lost.

RUNHIVE_LONG=1 takes machines away and cuts the link, which takes minutes; test_distributed.py has the undisturbed form.
"""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from namespaces import Machine
from together import distributed, photos_for_each, switch_off, under_way, wait_for_steps, wait_until

from runhive.tracking.ledger.ledger import open_ledger

TIMEOUT = 20
LOST = (
    "more often than train.distributed.max_restarts",
    f"did not come back within train.distributed.timeout_s, {TIMEOUT} s",
)
long = pytest.mark.skipif(not os.environ.get("RUNHIVE_LONG"), reason="takes minutes: RUNHIVE_LONG=1 runs it")


@pytest.mark.fault(
    "distributed",
    'a machine is lost, with `nodes: "1:2"`',
    wanted="the other goes on alone from the last checkpoint; both go on when it is back",
)
@long
def test_a_machine_that_is_lost_is_done_without_and_may_come_back(
    machines: tuple[Machine, Machine], tmp_path: Path
) -> None:
    """Both train; the first alone; both again. Processes of a world of two take no step without one another."""
    first, second = photos_for_each(tmp_path, distributed(nodes="1:2", processes=1, timeout=60), "train.epochs=4000")
    keeper, helper = machines[0].start(first), machines[1].start(second)
    wait_for_steps(keeper, first, world=2)
    switch_off(helper)
    wait_for_steps(keeper, first, world=1)
    helper = machines[1].start(second)
    wait_for_steps(keeper, first, world=2)
    switch_off(helper)
    keeper.send_signal(signal.SIGTERM)
    said, _ = keeper.communicate()

    assert keeper.returncode == 128 + signal.SIGTERM, said
    assert len(open_ledger(first.root).runs()) == 1


@pytest.mark.fault(
    "distributed",
    "the first machine is lost, or the link is cut",
    wanted="each machine ends after one or two time-outs, and the next start goes on from the last checkpoint",
    said="the other machines did not come back within train.distributed.timeout_s, … s: mend them or the network, and "
    "run `dvc repro` on each to go on from the last checkpoint",
)
@long
@pytest.mark.parametrize("fault", ["the first machine is lost", "the link is cut"])
def test_training_ends_with_a_message_and_goes_on_when_it_is_started_again(
    fault: str, machines: tuple[Machine, Machine], tmp_path: Path
) -> None:
    first, second = photos_for_each(tmp_path, distributed(nodes=2, processes=1, timeout=TIMEOUT), "train.epochs=60")
    keeper, helper = machines[0].start(first), machines[1].start(second)
    wait_until(keeper, lambda: under_way(first))
    began = time.monotonic()
    if fault == "the link is cut":
        machines[1].link("down")
        said = keeper.communicate(timeout=300)[0]
        assert keeper.returncode == 1
        assert any(words in said for words in LOST), said
    else:
        switch_off(keeper)
    helper_said = helper.communicate(timeout=300)[0]
    print(f"over after {time.monotonic() - began:.1f} s")

    assert helper.returncode == 1
    assert any(words in helper_said for words in LOST), helper_said
    machines[1].link("up")
    keeper, helper = machines[0].start(first), machines[1].start(second)
    said = [process.communicate()[0] for process in (keeper, helper)]
    assert (keeper.returncode, helper.returncode) == (0, 0), said
    shutil.rmtree(second.root)

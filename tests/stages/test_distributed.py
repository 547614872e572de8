"""Training in several processes, on one machine or two: one result, however it is started and whatever is lost."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from socket import AF_INET

import psutil
import pytest
import torch
from namespaces import Machine
from photos import Photos
from together import distributed, make_ready, under_way, wait_until, workers

from runhive.errors import RunhiveError
from runhive.formats.train_record import TrainRecord
from runhive.params import Distributed, parse_params
from runhive.presets import with_changes
from runhive.stages import launch, paths
from runhive.stages.node import free_port, meeting
from runhive.stages.train import _described
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.life.broadcast import NUMBERS_FILE
from runhive.vision.device import Numerics


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """Nothing was trained in it; not to be changed."""
    return make_ready(tmp_path_factory.mktemp("ready") / "photos", distributed())


@pytest.fixture(scope="module")
def whole(ready: Photos, tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """Trained by two processes under torchrun, undisturbed."""
    photos = ready.copy_to(tmp_path_factory.mktemp("whole") / "photos")
    photos.train()
    return photos


def need_mpirun() -> None:
    if not shutil.which("mpirun"):
        message = "mpirun is not here: apt install openmpi-bin"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)


def own_address() -> str:
    """An address of this machine that is not its loopback."""
    found = [one.address for all_of in psutil.net_if_addrs().values() for one in all_of if one.family == AF_INET]
    return next(address for address in found if not address.startswith("127."))


@pytest.mark.fault(
    "distributed",
    "a worker process is killed",
    wanted="all start again from the last checkpoint, up to `max_restarts` times, and end with the same bits",
)
def test_a_lost_worker_is_started_again_and_training_ends_with_the_same_bits(
    ready: Photos, whole: Photos, tmp_path: Path
) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    process = photos.start()
    wait_until(process, lambda: under_way(photos))
    workers(process)[-1].kill()
    said, _ = process.communicate()

    assert process.returncode == 0, said
    assert photos.made() == whole.made()
    assert len(open_ledger(photos.root).runs()) == 1


@pytest.mark.fault(
    "distributed",
    "Ctrl-C, or a job that is canceled, with several processes",
    wanted="the step at hand is kept, no process is left, and the next start ends with the same bits",
    said="stopped by SIGTERM",
)
def test_training_that_is_stopped_keeps_its_step_and_goes_on_to_the_same_bits(
    ready: Photos, whole: Photos, tmp_path: Path
) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    process = photos.start()
    wait_until(process, lambda: under_way(photos))
    below = workers(process)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate()

    assert process.returncode == 128 + signal.SIGTERM, said
    assert not any(one.is_running() for one in below)
    (run,) = open_ledger(photos.root).runs()
    assert (run.state, run.cause) == ("canceled", "stopped by SIGTERM")
    photos.train()
    assert photos.made() == whole.made()
    assert TrainRecord.read(photos.root / paths.TRAIN_RECORD).attempt == 2


def test_two_machines_train_to_the_bits_of_two_processes_on_one(
    machines: tuple[Machine, Machine], ready: Photos, whole: Photos, tmp_path: Path
) -> None:
    """They share no files, and the second starts first."""
    both = first, second = [ready.copy_to(tmp_path / name) for name in ("first", "second")]
    for photos in both:
        photos.change(distributed(nodes=2, processes=1))
    helper = machines[1].start(second)
    keeper = machines[0].start(first)
    said = [process.communicate()[0] for process in (keeper, helper)]

    assert (keeper.returncode, helper.returncode) == (0, 0), said
    assert first.made() == whole.made()
    assert len(open_ledger(first.root).runs()) == 1
    assert open_ledger(second.root).runs() == []
    assert not (second.root / paths.WEIGHTS).exists() and second.kept() == []


def test_mpirun_gives_the_weights_of_torchrun(ready: Photos, whole: Photos, tmp_path: Path) -> None:
    need_mpirun()
    photos = ready.copy_to(tmp_path / "photos")
    photos.change(distributed("mpirun"))
    photos.train()

    assert photos.made() == whole.made()


def test_the_machines_that_mpirun_starts_need_no_number_of_their_own(ready: Photos, tmp_path: Path) -> None:
    """Three machines in name, all of them this one, which share the folder: `ssh` is a script that starts it here.

    As with ssh, they know nothing of this process's environment but what they are passed.
    """
    need_mpirun()
    photos = ready.copy_to(tmp_path / "photos")
    photos.change(distributed("mpirun", nodes=3, processes=1), "train.batch_size=12", "train.epochs=2")
    ssh, hosts = tmp_path / "ssh", tmp_path / "hosts"
    ssh.write_text(
        '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done\nshift\nexec env -i PATH="$PATH" sh -c "$*"\n'
    )
    ssh.chmod(0o755)
    hosts.write_text("".join(f"machine{rank} slots=1\n" for rank in range(3)))
    meeting = {"RUNHIVE_RENDEZVOUS": f"{own_address()}:{free_port()}"}
    mpi = {"OMPI_MCA_plm_rsh_agent": str(ssh), "OMPI_MCA_orte_default_hostfile": str(hosts)}
    numbers = tmp_path / "numbers.json"
    process = photos.start(environment=meeting | mpi | {NUMBERS_FILE: str(numbers)})
    said, _ = process.communicate()

    assert process.returncode == 0, said
    assert TrainRecord.read(photos.root / paths.TRAIN_RECORD).epochs == 2
    assert json.loads(numbers.read_text())["epoch"] == 2


def test_the_run_says_how_many_processes_trained_and_what_batch_norm_saw(whole: Photos) -> None:
    (run,) = open_ledger(whole.root).runs()

    assert run.environment["distributed"] == {
        "launcher": "torchrun", "nodes": 1, "processes_per_node": 2, "batch_norm": "each process's images",
    }  # fmt: skip
    assert run.environment["threads"] == 1


def test_on_cuda_the_run_says_that_batch_norm_sees_the_images_of_all_processes_unless_it_is_frozen(
    whole: Photos,
) -> None:
    cuda = Numerics(torch.device("cuda"), "fp32", "channels_last")
    told = {}
    for mode in ("finetune", "frozen"):
        whole_params = with_changes((whole.root / paths.PARAMS).read_text(), [f"train.mode={mode}"])
        told[mode] = _described(parse_params(whole_params), cuda)["distributed"]["batch_norm"]

    assert told == {"finetune": "the images of all processes", "frozen": "as it was, in evaluation mode"}


@pytest.mark.fault(
    "distributed",
    "the loss is no longer finite, in several processes",
    wanted="one line, and nothing is started again",
    said="the … loss is … in epoch …: lower train.lr, now …, and run `dvc repro`; …",
)
def test_a_loss_that_is_lost_is_one_line_and_nothing_is_started_again(ready: Photos, tmp_path: Path) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    photos.change("train.lr=100.0", "train.optimizer={name: sgd, momentum: 0.9, weight_decay: 10.0}")
    process = photos.start()
    said, _ = process.communicate()

    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("runhive: the ")
    assert "lower train.lr, now 100.0" in said.splitlines()[-1]
    (run,) = open_ledger(photos.root).runs()
    assert run.state == "failed" and "lower train.lr" in (run.cause or "")


@pytest.mark.fault(
    "distributed", "the port of the rendezvous is taken", wanted="nothing is started",
    said="params.yaml: train.distributed.rendezvous: port … of … cannot be had (…): end what uses it, or write another",
)  # fmt: skip
def test_a_port_that_another_program_uses_is_told_before_anything_is_started() -> None:
    with socket.socket() as other:
        other.bind((own_address(), 0))
        other.listen()
        port = other.getsockname()[1]
        settings = Distributed(
            launcher="torchrun", nodes=2, processes_per_node=1, rendezvous=f"{own_address()}:{port}", timeout_s=60,
            max_restarts=0,
        )  # fmt: skip
        with pytest.raises(RunhiveError) as raised:
            meeting(settings)

    assert f"port {port} of {own_address()} cannot be had (Address already in use): end what uses it" in str(
        raised.value
    )


@pytest.mark.fault(
    "distributed",
    "the launcher hangs on a store that it cannot reach, its worker dead and not buried",
    wanted="it is given up after the time-out",
    said="the other machines did not come back within train.distributed.timeout_s, … s: mend them or the network, and "
    "run `dvc repro` on each to go on from the last checkpoint",
)
def test_a_launcher_that_hangs_with_a_dead_worker_is_given_up(tmp_path: Path) -> None:
    hangs = "import subprocess, time; subprocess.Popen(['sleep', '3']); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", hangs]) as process:
        with pytest.raises(RunhiveError, match=r"did not come back within train\.distributed\.timeout_s, 1 s"):
            launch._wait(process, tmp_path / "refused", 1)
        (worker,) = psutil.Process(process.pid).children()
        assert worker.status() == psutil.STATUS_ZOMBIE
        process.kill()

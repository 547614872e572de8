"""One of the processes that train together. `launch` starts it: `python -m runhive.stages.worker ROOT FOLDER`.

They need no files in common but the code and the images: the leader, on the machine that keeps the run, reads the
checkpoint and sends it to the others, and it alone writes.
"""

import os
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor, distributed

from runhive.errors import RunhiveError, told_of_disk
from runhive.files import write_atomic
from runhive.formats.manifest import class_names, read_manifest
from runhive.params import Params, load_params
from runhive.stages import inputs, paths
from runhive.stages.alike import facts, require_alike
from runhive.stages.checkpoint import read_checkpoint, save_checkpoint, state_of
from runhive.stages.learning import Onlooker, compile_within, divide, learn_from
from runhive.stages.node import node_rank
from runhive.stages.opened import RUN
from runhive.stages.pixel_cache import pixel_loader
from runhive.stages.progress import show_progress
from runhive.stages.refusal import refuse
from runhive.tracking.life.life import exit_on_signals
from runhive.tracking.life.process import die_with_parent
from runhive.vision.allocator import keep_freed_memory
from runhive.vision.device import Numerics, choose_numerics, is_grouped
from runhive.vision.loop import State
from runhive.vision.train import make_classifier
from runhive.vision.world import World

REFUSED = "refused"
OF_MPI = {
    "RANK": "OMPI_COMM_WORLD_RANK",
    "WORLD_SIZE": "OMPI_COMM_WORLD_SIZE",
    "LOCAL_RANK": "OMPI_COMM_WORLD_LOCAL_RANK",
}


def main() -> None:
    """Train, with the others; a mistake of the user is left in the folder for `launch`, which tells it once."""
    root, folder = map(Path, sys.argv[1:])
    exit_on_signals()
    die_with_parent()
    for name, theirs in OF_MPI.items():
        if theirs in os.environ:
            os.environ.setdefault(name, os.environ[theirs])
    try:
        work(load_params(paths.PARAMS), root, folder)
    except RunhiveError as error:
        refuse(folder / REFUSED, str(error))
        sys.exit(1)
    except OSError as error:
        if not (told := told_of_disk(error)):
            raise
        refuse(folder / REFUSED, told)
        sys.exit(1)


def work(params: Params, root: Path, folder: Path) -> None:
    """Join the others and train from the leader's checkpoint to the end."""
    inputs.admit_own_code("train", params.model.arch)
    if is_grouped(params.model.arch):
        keep_freed_memory()
    numerics = join(params)
    leader = int(numerics.world.summed(torch.tensor(numerics.world.rank if _is_leader(params) else 0)))
    clock = time.time()  # right after all met: reading the inputs takes each machine a time of its own
    leads = leader == numerics.world.rank
    images = read_manifest(paths.MANIFEST)
    mine, world = facts(params, images, clock), numerics.world
    require_alike([sent(mine if rank == world.rank else b"", rank) for rank in range(world.size)], leader)
    content = sent(read_checkpoint(folder) if leads else b"", leader)
    run = sent((folder / RUN).read_bytes() if leads else b"", leader)
    learned, checked = divide(images, params.train)
    state = state_of(content) if content else State()
    with ExitStack() as stack:
        load = stack.enter_context(
            pixel_loader(root, [*learned, *checked], params.train.cache, params.model.resize_size)
        )
        onlooker = Onlooker()
        if leads:
            shown = stack.enter_context(show_progress(params.train.epochs, state.epoch, len(learned)))
            onlooker = Onlooker(shown[0], lambda state: save_checkpoint(folder, state), shown[1])
        if params.train.compile:
            compile_within(folder / f"process-{numerics.world.rank}")
        classifier = make_classifier(params.model, len(class_names(images)), params.train.seed)
        state = learn_from(params, images, load, numerics, classifier, state, onlooker)
    if "DVC_STAGE" in os.environ and os.environ["LOCAL_RANK"] == "0" and node_rank(params.train.distributed) > 0:
        save_checkpoint(folder, state)  # from which the outs of this machine are written
        write_atomic(folder / RUN, run)
    distributed.destroy_process_group()


def join(params: Params) -> Numerics:
    """Meet the other processes, each on a device of its own."""
    numerics, settings = choose_numerics(params.model, params.train), params.train.distributed
    met, fewest = int(os.environ["WORLD_SIZE"]), settings.node_counts[0] * settings.processes_per_node
    if met < fewest:  # torchrun drops a machine whose clock says that it was last heard of long ago (tried)
        raise RunhiveError(
            f"{met} of {fewest} processes met: a machine was lost as it joined, or its clock is 10 s or more from this "
            "one's: set the clocks of all machines by NTP, and start training on each again"
        )
    backend, local = "gloo", int(os.environ["LOCAL_RANK"])
    if numerics.device.type == "cuda":
        if local >= torch.cuda.device_count():
            raise RunhiveError(
                f"params.yaml: train.distributed.processes_per_node: {settings.processes_per_node} processes and "
                f"{torch.cuda.device_count()} GPUs: lower it"
            )
        torch.cuda.set_device(local)
        backend = "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, timeout=timedelta(seconds=settings.timeout_s))
    most = settings.node_counts[-1] * settings.processes_per_node
    world = World(distributed.get_rank(), distributed.get_world_size(), most)
    return Numerics(numerics.device, numerics.precision, numerics.memory_format, world)


def sent(content: bytes, leader: int) -> bytes:
    """*content* of the process *leader*, in every process."""
    size = torch.tensor(len(content))
    distributed.broadcast(size, leader)
    buffer: Tensor = torch.empty(int(size), dtype=torch.uint8)
    if content:
        buffer = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    if len(buffer):
        distributed.broadcast(buffer, leader)
    return buffer.numpy().tobytes()


def _is_leader(params: Params) -> bool:
    """The first process of the first machine; mpirun numbers all, and tells the machines that it starts no number."""
    if params.train.distributed.launcher == "mpirun":
        return os.environ["RANK"] == "0"
    return node_rank(params.train.distributed) == 0 and os.environ["LOCAL_RANK"] == "0"


if __name__ == "__main__":
    main()

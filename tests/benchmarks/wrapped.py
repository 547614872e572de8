"""What DistributedDataParallel around a lone process's network would cost: CPU ms of a step, plain and wrapped in turn.

python tests/benchmarks/wrapped.py ROUNDS SIZE...    prints `SIZE plain wrapped` for each round and image size
"""

import sys
import time

import torch
from torch import distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from runhive.stages.node import free_port
from runhive.vision.model import build_backbone
from runhive.vision.world import SYNC_BUFFERS, _sum_gradients

STEPS, BATCH = 5, 16


def seconds(network: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> float:
    """CPU seconds of a step."""
    began = time.process_time()
    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    return (time.process_time() - began) / STEPS


def main(rounds: int, sizes: list[int]) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{free_port()}", rank=0, world_size=1)
    for size in sizes:
        plain, inner = (build_backbone("resnet18", 10).to(memory_format=torch.channels_last) for _ in range(2))
        wrapped = DistributedDataParallel(inner, gradient_as_bucket_view=True, **{SYNC_BUFFERS: False})
        wrapped.register_comm_hook(None, _sum_gradients)
        steps = [(one, torch.optim.SGD(one.parameters(), 1e-3, momentum=0.9)) for one in (plain, wrapped)]
        batch = torch.rand(BATCH, 3, size, size).contiguous(memory_format=torch.channels_last), torch.arange(BATCH) % 10
        for number in range(rounds + 1):
            told = [seconds(*step, *batch) for step in steps]
            if number:  # the first also makes the buffers
                print(size, *told, flush=True)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), list(map(int, sys.argv[2:])))

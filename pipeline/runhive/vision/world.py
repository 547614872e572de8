"""The processes that train one network together, and what they say to one another. One process says nothing."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch._C._distributed_c10d import GradBucket
from torch.nn.parallel import DistributedDataParallel

Item = TypeVar("Item")
# torch 2.15 warns of the name that those before it know.
_KNOWN = signature(DistributedDataParallel.__init__).parameters
SYNC_BUFFERS = "forward_sync_buffers" if "forward_sync_buffers" in _KNOWN else "broadcast_buffers"


@dataclass(frozen=True)
class World:
    """This process is number `rank` of `size`; `most` are as many as there can be when none is lost."""

    rank: int = 0
    size: int = 1
    most: int = 1

    @overload
    def share(self, items: NDArray[np.int64]) -> NDArray[np.int64]: ...
    @overload
    def share(self, items: Sequence[Item]) -> Sequence[Item]: ...
    def share(self, items: Any) -> Any:
        """This process's part of *items*; the parts of all are disjoint and leave nothing out."""
        return items[self.rank :: self.size]

    def summed(self, tensor: Tensor) -> Tensor:
        """The sum of *tensor* over the processes; the same bits in each."""
        if self.size == 1:
            return tensor
        total = tensor.clone()
        distributed.all_reduce(total)
        return total

    def agreed(self, wanted: bool) -> bool:
        """Does any process want it? Each gets the same answer."""
        return wanted if self.size == 1 else bool(self.summed(torch.tensor(int(wanted))))

    def joined(self, network: nn.Module) -> nn.Module:
        """*network* as what is called in training: its gradients are summed over the processes.

        Batch-norm takes its statistics over all processes on CUDA; elsewhere, where torch has none that does, over each
        process's own images.
        """
        if self.size == 1:
            return network
        device = next(network.parameters()).device
        if device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        ids = [device] if device.type == "cuda" else None
        alone: dict[str, Any] = {SYNC_BUFFERS: False}
        joined = DistributedDataParallel(network, device_ids=ids, gradient_as_bucket_view=True, **alone)
        joined.register_comm_hook(None, _sum_gradients)
        return joined

    def align(self, network: nn.Module) -> None:
        """Give all processes the buffers of the first: batch-norm's running statistics, which are each one's own."""
        if self.size > 1:
            for buffer in network.buffers():
                distributed.broadcast(buffer, 0)


ALONE = World()


def without_sum(network: nn.Module) -> AbstractContextManager[None]:
    """Within it a backward pass of *network* leaves its gradients to this process, until one outside of it."""
    return network.no_sync() if isinstance(network, DistributedDataParallel) else nullcontext()


def _sum_gradients(_: object, bucket: GradBucket) -> torch.futures.Future[Tensor]:
    """DDP's own hook takes the mean; here each loss is divided by the images of all processes already."""
    work = distributed.all_reduce(bucket.buffer(), async_op=True)
    return work.get_future().then(lambda done: done.value()[0])

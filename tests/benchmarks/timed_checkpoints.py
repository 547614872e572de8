"""The stage train, with a line of what each epoch and the checkpoint after it cost: CPU s, wall s, twice, and bytes."""

import time

from runhive.cli import main
from runhive.stages import train
from runhive.vision.loop import Learner

Clock = tuple[float, float]
spent: list[Clock] = []
began: Clock = (0.0, 0.0)


def now() -> Clock:
    return time.process_time(), time.monotonic()


def since(clock: Clock) -> Clock:
    return tuple(there - here for there, here in zip(now(), clock, strict=True))


snapshot, save, epoch_of = Learner.snapshot, train.save_checkpoint, train.learn_from


def timed_snapshot(learner, state):
    clock = now()
    snapshot(learner, state)
    spent.append(since(clock))


def timed_save(folder, state):
    global began
    clock = now()
    save(folder, state)
    spent.append(since(clock))
    cost = [sum(parts) for parts in zip(*spent, strict=True)]
    spent.clear()
    epoch = [whole - own for whole, own in zip(since(began), cost, strict=True)]
    size = max(path.stat().st_size for path in folder.glob("epoch-*.safetensors"))
    print("checkpoint", *epoch, *cost, size)
    began = now()


def timed_learn(*arguments):
    global began
    began = now()
    return epoch_of(*arguments)


Learner.snapshot, train.save_checkpoint, train.learn_from = timed_snapshot, timed_save, timed_learn
main()

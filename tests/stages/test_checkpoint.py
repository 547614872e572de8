"""Checkpoints: what is read is whole, whatever was killed or damaged; training never starts anew in silence."""

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from runhive.errors import RunhiveError
from runhive.formats.history import Epoch
from runhive.stages.checkpoint import load_checkpoint, save_checkpoint
from runhive.vision.loop import State


def state(epoch: int, best_epoch: int | None = None) -> State:
    """The state after *epoch*; its tensors are a function of it."""
    best_epoch = best_epoch or epoch
    network, best = (
        {"layer.weight": torch.full((2, 3), float(number)), "layer.count": torch.tensor(number)}
        for number in (epoch, best_epoch)
    )
    history = [Epoch(number, 0.1, 1 / 3, 0.5, 0.25, 0.5, 1.5) for number in range(1, epoch + 1)]
    optimizer = {0: {"momentum_buffer": torch.ones(2, 3) * epoch}, 11: {"step": torch.tensor(3.0)}}
    return State(
        epoch=epoch, history=history, best_epoch=best_epoch, network=network,
        best=best if best_epoch != epoch else network, optimizer=optimizer,
    )  # fmt: skip


def told(state: State) -> object:
    """All that a state holds, comparable."""
    tensors = {"network": state.network, "best": state.best, **state.optimizer}
    plain = {part: {name: tensor.tolist() for name, tensor in of.items()} for part, of in tensors.items()}
    return state.epoch, state.history, state.best_epoch, plain


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder in which epochs 1 to 3 were saved."""
    for epoch in (1, 2, 3):
        save_checkpoint(tmp_path, state(epoch))
    return tmp_path


def load_with_warning(folder: Path) -> tuple[State, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = load_checkpoint(folder)
    return found, [str(one.message) for one in caught]


@pytest.mark.parametrize("best_epoch", [2, 5])
def test_a_state_is_read_back_as_it_was_saved(best_epoch: int, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(5, best_epoch))

    assert told(load_checkpoint(tmp_path)) == told(state(5, best_epoch))


@pytest.mark.parametrize("best_epoch", [2, 5])
def test_a_state_within_an_epoch_is_read_back_as_it_was_saved(best_epoch: int, tmp_path: Path) -> None:
    running = {"steps": torch.tensor([[1 / 3, 2.0, 4.0], [0.0, 0.0, 0.0]], dtype=torch.float64)}
    within = replace(state(5, best_epoch), step=1, seconds=0.7, running=running, best=state(best_epoch).network)
    save_checkpoint(tmp_path, within)
    found = load_checkpoint(tmp_path)

    assert told(found) == told(within)
    assert (found.step, found.seconds) == (1, 0.7)
    assert torch.equal(found.running["steps"], running["steps"])


def test_checkpoints_within_epochs_are_ordered_by_epoch_and_step(tmp_path: Path) -> None:
    for epoch, step in ((9, 99_999), (10, 0), (10, 7), (10, 20)):
        save_checkpoint(tmp_path, replace(state(epoch), step=step, best={}))
        found = load_checkpoint(tmp_path)

        assert (found.epoch, found.step) == (epoch, step)


def test_tensors_in_another_memory_order_are_read_back_with_their_values(tmp_path: Path) -> None:
    weight = torch.arange(24.0).view(1, 2, 3, 4).to(memory_format=torch.channels_last)
    save_checkpoint(tmp_path, replace(state(1), network={"w": weight}, best={"w": weight}))

    assert torch.equal(load_checkpoint(tmp_path).network["w"], weight)


@pytest.mark.parametrize("exists", [True, False])
def test_without_a_checkpoint_training_is_before_its_first_epoch(exists: bool, tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path if exists else tmp_path / "nowhere") == State()


def test_only_the_newest_two_are_kept(three: Path) -> None:
    assert sorted(path.name for path in three.iterdir()) == [
        "epoch-000002-000000000.safetensors", "epoch-000002-000000000.sha256",
        "epoch-000003-000000000.safetensors", "epoch-000003-000000000.sha256",
    ]  # fmt: skip
    assert load_checkpoint(three).epoch == 3


def test_epochs_are_ordered_as_numbers(tmp_path: Path) -> None:
    for epoch in (9, 10, 100):
        save_checkpoint(tmp_path, state(epoch))

    assert load_checkpoint(tmp_path).epoch == 100


@pytest.mark.fault(
    "checkpoint",
    "the newest is cut off, empty, gone, or has another bit",
    wanted="the one before is taken",
    said="the checkpoint … is damaged: going back to the one before",
)
@pytest.mark.parametrize("suffix", [".safetensors", ".sha256"])
@pytest.mark.parametrize("damage", ["cut off", "empty", "one bit", "gone"])
def test_a_damaged_newest_falls_back_to_the_one_before_and_says_which(three: Path, suffix: str, damage: str) -> None:
    newest = three / f"epoch-000003-000000000{suffix}"
    content = bytearray(newest.read_bytes())
    match damage:
        case "cut off":
            newest.write_bytes(content[: len(content) // 2])
        case "empty":
            newest.write_bytes(b"")
        case "one bit":
            content[0 if suffix == ".sha256" else len(content) // 2] ^= 1
            newest.write_bytes(content)
        case "gone":
            newest.unlink()
    found, said = load_with_warning(three)

    assert told(found) == told(state(2))
    if (damage, suffix) == ("gone", ".sha256"):
        assert said == []  # without its marker it was never written
    else:
        assert said == [f"the checkpoint {newest.with_suffix('.safetensors')} is damaged: going back to the one before"]


def test_no_bit_of_the_tensors_can_flip_unnoticed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(1))
    data = tmp_path / "epoch-000001-000000000.safetensors"
    whole = data.read_bytes()
    for place in range(0, len(whole), 5):
        data.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with warnings.catch_warnings(), pytest.raises(RunhiveError):
            warnings.simplefilter("ignore")
            load_checkpoint(tmp_path)


def test_no_letter_of_the_marker_can_change_unnoticed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(1))
    marker = tmp_path / "epoch-000001-000000000.sha256"
    whole = marker.read_bytes()
    unnoticed = []
    for place in range(len(whole)):
        marker.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = load_checkpoint(tmp_path)
            except RunhiveError:
                continue
        if told(found) != told(state(1)):
            unnoticed.append(whole[max(place - 20, 0) : place + 1])

    assert unnoticed == []


@pytest.mark.fault(
    "checkpoint",
    "all are damaged",
    wanted="training stops: it never begins anew in silence",
    said="every checkpoint in … is damaged: delete that folder to train from the start",
)
def test_where_every_checkpoint_is_damaged_training_does_not_start_anew(three: Path) -> None:
    for path in three.glob("*.safetensors"):
        path.write_bytes(b"")
    with warnings.catch_warnings(), pytest.raises(RunhiveError) as raised:
        warnings.simplefilter("ignore")
        load_checkpoint(three)

    assert str(raised.value) == f"every checkpoint in {three} is damaged: delete that folder to train from the start"


@pytest.mark.fault(
    "checkpoint",
    "the process is killed while it writes one",
    wanted="the one before is taken, and what was left is cleared away",
)
def test_what_a_killed_writer_left_is_ignored_and_cleared_away(three: Path) -> None:
    """It is killed within the tensors' temporary file, or after the tensors and before their marker."""
    leftover = three / f".epoch-000004-000000000.safetensors.{os.getpid()}.tmp"
    leftover.write_bytes(b"half")
    (three / "epoch-000004-000000000.safetensors").write_bytes(b"whole, but not committed")
    found, said = load_with_warning(three)

    assert (found.epoch, said) == (3, [])
    assert not leftover.exists()


@pytest.mark.fault(
    "checkpoint",
    "the disk is full",
    wanted="the one before stays; nothing is left of the new one",
    said="… cannot be written (…): free the disk or mend its permissions",
)
def test_what_a_full_disk_cuts_short_is_told_and_the_checkpoint_before_stays(three: Path) -> None:
    """The limit on the size of files stands for the disk."""
    script = (
        "import resource, signal, sys; from pathlib import Path; import torch\n"
        "from runhive.stages.checkpoint import save_checkpoint; from runhive.vision.loop import State\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9_000_000, 9_000_000))\n"
        "save_checkpoint(Path(sys.argv[1]), State(epoch=4, network={'w': torch.ones(6_000_000)}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, three], capture_output=True, text=True)

    assert "cannot be written (File too large)" in done.stderr.splitlines()[-1]
    assert "free the disk or mend its permissions" in done.stderr.splitlines()[-1]
    assert load_checkpoint(three).epoch == 3
    assert [path.name for path in three.iterdir() if path.name.startswith(".")] == []


def test_the_epoch_whose_writer_was_killed_can_be_saved_again(three: Path) -> None:
    (three / "epoch-000004-000000000.safetensors").write_bytes(b"whole, but not committed")
    save_checkpoint(three, state(4))

    assert told(load_checkpoint(three)) == told(state(4))


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "run.sha256").write_text("{}")
    for epoch in (1, 2, 3, 4):
        save_checkpoint(tmp_path, state(epoch))
    load_checkpoint(tmp_path)

    assert (tmp_path / "run.sha256").read_text() == "{}"

"""What the Compare page gets of a run: curves with both axes, and answers from which any pair is compared."""

import base64
import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runhive.formats.predictions import Predictions
from runhive.report.answer_bits import answered, packed
from runhive.report.quantities import MOST_POINTS, Curve, outlined, quantities
from runhive.tracking.comparison import changed_samples, difference_interval
from runhive.tracking.ledger.ledger import Ledger

HISTORY = b"epoch,lr,train_loss,train_accuracy,check_loss,check_accuracy,seconds\n"
SCALARS = b"step,name,value,seconds\n"
SYSTEM = b"time,cpu_percent,memory_bytes\n"


def curves(**files: bytes) -> dict[str, Curve]:
    return {one.name: one for one in quantities(lambda name: files.get(name.partition(".")[0]))}


def unpacked(base64_bits: str, samples: int) -> list[bool]:
    bits = np.unpackbits(np.frombuffer(base64.b64decode(base64_bits), dtype=np.uint8))
    return [bool(bit) for bit in bits[:samples]]


def test_a_history_has_epochs_and_the_time_at_which_each_ended() -> None:
    found = curves(history=HISTORY + b"1,0.1,0.9,0.5,0.8,0.6,2.0\n2,0.1,0.7,0.6,0.7,0.65,3.5\n")

    assert list(found) == ["lr", "train_loss", "train_accuracy", "check_loss", "check_accuracy", "seconds"]
    assert found["train_loss"] == Curve("train_loss", "epoch", [1, 2], [2.0, 5.5], [0.9, 0.7])


def test_logged_numbers_have_their_own_steps_and_of_a_step_the_last_counts() -> None:
    found = curves(scalars=SCALARS + b"1,loss,3,0.5\n1,lr,9,0.5\n5,loss,2,1.5\n5,loss,1,1.6\n9,loss,nan,2.0\n")

    assert found == {"loss": Curve("loss", "step", [1, 5], [0.5, 1.6], [3.0, 1.0])}


def test_what_the_machine_gave_is_by_seconds_since_the_first_sample() -> None:
    rows = b"2026-11-01T00:00:00+00:00,50,1000\n2026-11-01T00:00:05+00:00,,2000\n2026-11-01T00:00:10+00:00,70,1500\n"
    found = curves(system=SYSTEM + rows)

    assert found["cpu_percent"] == Curve("cpu_percent", "second", [0, 10], [0, 10], [50, 70])
    assert found["memory_bytes"].values == [1000, 2000, 1500]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"epoch,lr\n1,2\n", HISTORY + b"1,x,0,0,0,0,0\n", SCALARS + b"1,loss\n", SYSTEM + b"noon,1,2\n"],
)
def test_a_damaged_file_has_no_curves(content: bytes) -> None:
    assert curves(history=content, scalars=content, system=content) == {}


def test_of_a_damaged_file_beside_a_good_one_the_good_one_stays() -> None:
    assert list(curves(history=b"\xff", scalars=SCALARS + b"1,a,1,0\n2,a,2,1\n")) == ["a"]


@settings(deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6), max_size=400), most=st.sampled_from([10, 64, 300]))
def test_a_long_curve_keeps_its_extremes_and_its_order(values: list[float], most: int) -> None:
    points = [(float(index), float(index), value) for index, value in enumerate(values)]
    kept = outlined(points, most)

    assert len(kept) <= max(most, 2)
    assert list(kept) == sorted(kept)
    assert set(kept) <= set(points)
    if values:
        assert {min(values), max(values)} <= {value for _, _, value in kept}


def test_a_curve_of_a_hundred_thousand_steps_becomes_a_thousand_points() -> None:
    rows = "".join(f"{step},loss,{step % 97},{step}\n" for step in range(50_000))

    assert len(curves(scalars=SCALARS + rows.encode())["loss"].values) <= MOST_POINTS


def predictions(samples: list[tuple[int, int]], chosen: list[int]) -> Predictions:
    """Each sample is the number of its content and its label; *chosen* are the answers."""
    return Predictions(
        ["ant", "bee"],
        [f"val/{content}-{label}.png" for content, label in samples],
        [hashlib.sha256(bytes([content])).hexdigest() for content, _ in samples],
        np.array([label for _, label in samples], dtype=np.int64),
        np.eye(2)[chosen].astype(np.float64),
    )


SAMPLES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=30)


@settings(deadline=None)
@given(samples=SAMPLES, data=st.data())
def test_bits_tell_the_samples_that_were_won_and_lost_as_the_predictions_do(
    samples: list[tuple[int, int]], data: st.DataObject
) -> None:
    before = [data.draw(st.integers(0, 1)) for _ in samples]
    after = [data.draw(st.integers(0, 1)) for _ in samples]
    order = data.draw(st.permutations(range(len(samples))))
    first = predictions(samples, before)
    second = predictions([samples[index] for index in order], [after[index] for index in order])
    one, other = answered(first), answered(second)
    was, now = (np.array(unpacked(packed(each.right), len(samples))) for each in (one, other))
    won, lost = changed_samples(first, second)

    assert one.digest == other.digest
    assert (int((now & ~was).sum()), int((was & ~now).sum())) == (len(won), len(lost))


def test_the_digest_of_other_samples_is_another() -> None:
    digests = {
        answered(predictions(samples, [0] * len(samples))).digest
        for samples in ([(1, 0)], [(1, 1)], [(2, 0)], [(1, 0)] * 2)
    }

    assert len(digests) == 4


@pytest.mark.parametrize(("gains", "losses"), [(0.02, 0.02), (0.06, 0.02), (0.15, 0.05)])
@pytest.mark.parametrize("samples", [60, 400])
def test_the_interval_of_a_difference_holds_it_in_about_95_of_100_samples_or_more(
    gains: float, losses: float, samples: int
) -> None:
    chance = np.random.default_rng(samples)
    drawn = chance.multinomial(samples, [gains, losses, 1 - gains - losses], 4000)
    inside = [
        low <= gains - losses <= high
        for won, lost, _ in drawn
        for low, high in [difference_interval(int(won), int(lost), samples)]
    ]

    assert np.mean(inside) > 0.935


def test_the_interval_stays_within_one_and_turns_with_the_runs() -> None:
    assert difference_interval(5, 0, 5)[1] <= 1
    assert difference_interval(2, 7, 100) == tuple(-bound for bound in reversed(difference_interval(7, 2, 100)))
    assert difference_interval(0, 0, 10)[0] < 0 < difference_interval(0, 0, 10)[1]


def test_the_page_names_the_shards_that_say_where_each_run_s_lies(site: Path, ledger: Ledger) -> None:
    html = (site / "compare/index.html").read_text()
    (index,) = (site / "assets/shards").glob("details-*.js")

    assert f"../assets/shards/{index.name}" in html
    for row in ledger.rows():
        (shard,) = (site / "assets/shards").glob(f"{row['run_id']}-*.js")
        assert shard.name in index.read_text()

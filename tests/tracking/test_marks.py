"""Names, tags, notes, archive: each change is an event, and saying the same again adds none."""

from collections.abc import Callable

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.marks import archive, name, note, tag

ID = "20261123-142233-7f3a9c"
TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def run(ledger: Ledger) -> Callable[[], Run]:
    ledger.append(ID, [Event("started", {"experiment": "ants"})])
    return lambda: ledger.run(ID)


def test_tags_come_and_go(ledger: Ledger, run: Callable[[], Run]) -> None:
    assert tag(ledger, run(), ["best", "paper"], []) == ("best", "paper")
    assert tag(ledger, run(), ["new"], ["best"]) == ("new", "paper")
    assert run().tags == ("new", "paper")


def test_what_is_so_already_adds_no_event(ledger: Ledger, run: Callable[[], Run]) -> None:
    def say() -> None:
        tag(ledger, run(), ["best"], [])
        note(ledger, run(), "two\nlines")
        name(ledger, run(), "lr 0.1")
        archive(ledger, run(), True)

    say()
    tip = ledger.tip()
    say()

    assert ledger.tip() == tip
    assert (run().notes, run().name, run().archived) == ("two\nlines", "lr 0.1", True)


def test_a_mark_taken_back_and_made_again_is_in_force(ledger: Ledger, run: Callable[[], Run]) -> None:
    for _ in range(2):
        tag(ledger, run(), ["best"], [])
        archive(ledger, run(), True)
        assert (run().tags, run().archived) == (("best",), True)
        tag(ledger, run(), [], ["best"])
        archive(ledger, run(), False)
        assert (run().tags, run().archived) == ((), False)


def test_taking_away_a_tag_that_is_not_there_is_told(ledger: Ledger, run: Callable[[], Run]) -> None:
    tag(ledger, run(), ["best"], [])
    with pytest.raises(RunhiveError, match="has no tag 'bset': it has best"):
        tag(ledger, run(), [], ["bset"])


@pytest.mark.parametrize("word", ["", "two words", "a,b", "'q'", "(x)", "x" * 101, "\x1b[31m", "a\u202eb", "-x", "+x"])
def test_what_is_no_tag_is_refused_in_one_line(word: str, ledger: Ledger, run: Callable[[], Run]) -> None:
    with pytest.raises(RunhiveError, match="is no tag") as caught:
        tag(ledger, run(), ["good", word], [])

    assert str(caught.value).isprintable()
    assert run().tags == ()


@pytest.mark.parametrize("text", ["x" * 201, "two\nlines", "\x1b[2J"])
def test_what_is_no_name_is_refused(text: str, ledger: Ledger, run: Callable[[], Run]) -> None:
    with pytest.raises(RunhiveError, match="a name is one line"):
        name(ledger, run(), text)


def test_a_note_that_is_too_long_is_refused(ledger: Ledger, run: Callable[[], Run]) -> None:
    with pytest.raises(RunhiveError, match="20,001 characters"):
        note(ledger, run(), "x" * 20_001)


def test_a_token_is_masked_before_it_is_written(ledger: Ledger, run: Callable[[], Run]) -> None:
    note(ledger, run(), f"used {TOKEN} here")
    name(ledger, run(), TOKEN)
    tag(ledger, run(), [TOKEN], [])

    assert TOKEN not in repr(run().events)
    assert "used" in run().notes

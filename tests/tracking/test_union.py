"""The union of ledgers: a property test of its three laws, and what it keeps."""

import subprocess
from pathlib import Path
from typing import Any

import pygit2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pygit2.enums import FileMode

from runhive.errors import RunhiveError
from runhive.tracking.ledger.union import union

NAMES = st.sampled_from(["runs", "media", "a", "b.json", "c"])
TREES = st.recursive(
    st.sampled_from([b"one", b"two", b"three"]), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4)
).filter(lambda tree: isinstance(tree, dict))
LAWS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Content = Any  # bytes, or a folder of them by name


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path_factory.mktemp("store")), bare=True)


def write(store: pygit2.Repository, content: Content) -> pygit2.Tree:
    builder = store.TreeBuilder()
    for name, inner in content.items():
        if isinstance(inner, bytes):
            builder.insert(name, store.create_blob(inner), FileMode.BLOB)
        else:
            builder.insert(name, write(store, inner).id, FileMode.TREE)
    return store[builder.write()].peel(pygit2.Tree)


def join(store: pygit2.Repository, one: pygit2.Tree, other: pygit2.Tree) -> pygit2.Tree:
    return store[union(store, one, other)].peel(pygit2.Tree)


def leaves(content: Content, path: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, inner in content.items():
        found |= {path + name: inner} if isinstance(inner, bytes) else leaves(inner, f"{path}{name}/")
    return found


@LAWS
@given(TREES, TREES)
def test_it_does_not_matter_who_pulls_from_whom(store: pygit2.Repository, one: Content, other: Content) -> None:
    first, second = write(store, one), write(store, other)

    assert union(store, first, second) == union(store, second, first)


@LAWS
@given(TREES, TREES, TREES)
def test_it_does_not_matter_in_which_order_three_meet(
    store: pygit2.Repository, one: Content, two: Content, three: Content
) -> None:
    a, b, c = (write(store, tree) for tree in (one, two, three))

    assert join(store, join(store, a, b), c).id == join(store, a, join(store, b, c)).id


@LAWS
@given(TREES, TREES)
def test_meeting_again_changes_nothing(store: pygit2.Repository, one: Content, other: Content) -> None:
    first, second = write(store, one), write(store, other)
    joined = join(store, first, second)

    assert union(store, first, first) == first.id
    assert union(store, joined, first) == union(store, joined, second) == joined.id


@LAWS
@given(TREES, TREES)
def test_every_path_that_only_one_side_has_is_kept(store: pygit2.Repository, one: Content, other: Content) -> None:
    mine, yours = leaves(one), leaves(other)
    joined = join(store, write(store, one), write(store, other))

    for path, content in (mine | yours).items():
        if mine.get(path, content) == yours.get(path, content):
            entry = joined[path]
            assert isinstance(entry, pygit2.Tree) or (isinstance(entry, pygit2.Blob) and entry.data == content)


def test_a_name_that_is_not_utf8_is_refused_in_one_line(store: pygit2.Repository) -> None:
    blob = str(store.create_blob(b"x")).encode()
    made = subprocess.run(
        ["git", f"--git-dir={store.path}", "mktree"], input=b"100644 blob %s\tcaf\xe9\n" % blob,
        capture_output=True, check=True,
    )  # fmt: skip
    hostile = store[made.stdout.decode().strip()].peel(pygit2.Tree)

    with pytest.raises(RunhiveError, match="not UTF-8"):
        union(store, write(store, {"a": b"one"}), hostile)


def test_links_and_modules_are_carried_as_they_are(store: pygit2.Repository, tmp_path: Path) -> None:
    builder = store.TreeBuilder()
    builder.insert("link", store.create_blob(b"/etc/passwd"), FileMode.LINK)
    hostile = store[builder.write()].peel(pygit2.Tree)

    joined = join(store, write(store, {"a": b"one"}), hostile)

    assert joined["link"].filemode == FileMode.LINK

"""What changed between two versions of a data set."""

from hypothesis import given
from hypothesis import strategies as st

from runhive.formats.data_changes import Change, DataChanges, compare_manifests
from runhive.formats.manifest import Image, content_digest


def image(content: str, split: str = "train", label: str = "ants", name: str = "") -> Image:
    return Image(f"{split}/{label}/{name or content}.png", split, label, content, 1, 1)


SAME = [image("a"), image("b", "val", "bees")]
IMAGES = st.lists(st.builds(image, st.sampled_from("abcd"), st.sampled_from(["train", "val"]), st.sampled_from("xy")))


def changes(**kinds: list[str] | list[Change]) -> DataChanges:
    return DataChanges.model_validate({"added": [], "removed": [], "moved": [], "relabelled": []} | kinds)


def test_the_same_images_under_other_names_are_no_change() -> None:
    assert compare_manifests(SAME, [image("b", "val", "bees", "new"), image("a", name="name")]) == changes()


def test_images_come_and_go_by_their_content() -> None:
    found = compare_manifests([*SAME, image("c", name="x")], [*SAME, image("d", name="x")])

    assert found == changes(added=["train/ants/x.png"], removed=["train/ants/x.png"])


def test_an_image_in_another_split_has_moved() -> None:
    found = compare_manifests([*SAME, image("c")], [*SAME, image("c", "val")])

    assert found == changes(moved=[Change(path="val/ants/c.png", before="train", after="val")])


def test_an_image_in_another_class_is_relabelled_also_where_it_moved() -> None:
    found = compare_manifests([*SAME, image("c")], [*SAME, image("c", "val", "bees")])

    assert found == changes(
        moved=[Change(path="val/bees/c.png", before="train", after="val")],
        relabelled=[Change(path="val/bees/c.png", before="ants", after="bees")],
    )


def test_a_second_copy_is_added_and_removed_like_an_image() -> None:
    copy = image("a", name="copy")

    assert compare_manifests(SAME, [*SAME, copy]) == changes(added=["train/ants/copy.png"])
    assert len(compare_manifests([*SAME, copy], SAME).removed) == 1


@given(IMAGES, IMAGES)
def test_there_is_a_change_wherever_the_digests_differ_and_none_elsewhere(
    before: list[Image], after: list[Image]
) -> None:
    found = compare_manifests(before, after)
    is_changed = any([found.added, found.removed, found.moved, found.relabelled])

    assert is_changed == (content_digest(before) != content_digest(after))
    assert len(found.added) - len(found.removed) == len(after) - len(before)

"""Images that fetch's deps list are looked at by every `dvc repro`."""

import shutil

from workspace import Workspace

from runhive.formats.manifest import read_manifest


def test_a_folder_that_deps_list_is_fetched_again_when_it_changed(unstarted: Workspace) -> None:
    pipeline = unstarted.root / "dvc.yaml"
    told = "DVC does not watch images"
    assert told in unstarted.run("dvc", "repro", "fetch")
    pipeline.write_text(pipeline.read_text().replace("    deps:\n", "    deps:\n      - images\n", 1))
    assert told not in unstarted.run("dvc", "repro", "fetch")

    assert "Running stage" not in unstarted.run("dvc", "repro", "fetch")
    shutil.copy(
        unstarted.root / "images" / "val" / "bar" / "00.png", unstarted.root / "images" / "train" / "bar" / "n.png"
    )
    assert "Running stage 'fetch'" in unstarted.run("dvc", "repro", "fetch")
    assert len(read_manifest(unstarted.root / "data" / "manifest.csv")) == 41

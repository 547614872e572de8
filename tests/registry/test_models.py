"""`runhive models`: register, promote, refuse, roll back, download, as a user types it; plain `gto show` agrees."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from shop import CLASSES, GOOD, PREPROCESS, Shop, git, worse

from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.registry.catalog import read_catalog
from runhive.tracking.registry.elsewhere import fetched


def gto(shop: Shop, *words: str) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("gto"), *words], cwd=shop.root, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_run_becomes_a_version_that_gto_shows(shop: Shop) -> None:
    said = shop.call("register")

    assert "colours@v1.0.0 is run 20261123-142201-7f3a9c now" in said
    (row,) = json.loads(gto(shop, "show", "--json")).items()
    assert (row[0], row[1]["version"]) == ("colours", "v1.0.0")
    (version,) = read_catalog(shop.ledger).models["colours"].versions
    assert (version.number, version.doubt, version.tag.commit) == (1, "", git(shop.root, "rev-parse", "HEAD"))
    assert version.record["files"]["models/model.onnx"]["sha256"] == sha256_of(shop.root / "models/model.onnx")


def test_dvc_gets_the_registered_file_by_its_version(shop: Shop, tmp_path: Path) -> None:
    shop.call("register")
    words = ["artifacts", "get", str(shop.root), "colours", "--rev", "v1.0.0", "-o", str(tmp_path / "got.onnx")]
    subprocess.run([Path(sys.executable).with_name("dvc"), *words], cwd=tmp_path, check=True, capture_output=True)

    assert sha256_of(tmp_path / "got.onnx") == sha256_of(shop.root / "models/model.onnx")


def test_the_same_bytes_are_refused_and_their_version_is_named(shop: Shop) -> None:
    shop.call("register")

    assert "these bytes are colours@v1.0.0 already" in shop.call("register", code=1)
    assert git(shop.root, "tag") == "colours@v1.0.0"


def test_a_worse_model_is_refused_with_its_numbers_then_forced_then_rolled_back(second: Shop) -> None:
    said = second.call("promote", "v1.1.0", "prod", code=1)
    assert (
        "colours@v1.1.0 is refused: 5 images lost, 0 won against colours@v1.0.0 on 30 of val, p = 0.0312: worse" in said
    )
    assert "recall of rot falls from 10 to 5 of 10" in said
    assert len(said.splitlines()) == 3, "no line more than the two reasons and the way out"

    assert "--force needs --reason" in second.call("promote", "v1.1.0", "prod", "--force", code=1)
    second.call("promote", "v1.1.0", "prod", "--force", "--reason", "a demonstration")
    assert read_catalog(second.ledger).models["colours"].at("prod").title == "colours@v1.1.0"  # type: ignore[union-attr]
    assert "forced: a demonstration" in second.call("history")
    assert '"v1.1.0"' in gto(second, "show", "colours#prod", "--json") or "v1.1.0" in gto(second, "show")

    assert "colours#prod is colours@v1.0.0 again" in second.call("rollback", "prod")
    assert json.loads(gto(second, "show", "--json"))["colours"]["stage"]["prod"] == "v1.0.0"
    assert "colours#prod went back to colours@v1.0.0 already: there is nothing before that" in second.call(
        "rollback", "prod", code=1
    )


def test_a_rollback_goes_one_step_however_often_it_is_asked_for_and_further_only_by_name(second: Shop) -> None:
    second.call("promote", "2", "prod", "--force", "--reason", "x")
    second.train(3, worse(1))
    second.call("register")
    second.call("promote", "3", "prod", "--force", "--reason", "x")
    second.call("rollback", "prod")
    told = second.call("rollback", "prod", code=1)

    assert told == "colours#prod went back to colours@v1.1.0 already: to go further, add --to v1.0.0\n"
    assert "does not go back to colours@v1.2.0 (it was v1.0.0): promote it" in second.call(
        "rollback", "prod", "--to", "3", code=1
    )
    assert "colours#prod is colours@v1.0.0 again" in second.call("rollback", "prod", "--to", "v1.0.0")
    assert "is colours@v1.0.0 already" in second.call("rollback", "prod", "--to", "v1.0.0", code=1)
    second.call("promote", "2", "prod", "--force", "--reason", "x")
    assert "colours#prod is colours@v1.0.0 again" in second.call("rollback", "prod")


def test_an_alias_that_was_one_version_only_has_nothing_to_go_back_to(second: Shop) -> None:
    assert "colours#prod was never anything else" in second.call("rollback", "prod", code=1)


def test_a_better_model_is_let_in_and_the_verdict_is_in_the_ledger(shop: Shop) -> None:
    git(shop.root, "commit", "--quiet", "--allow-empty", "--message", "x")
    shop.train(2, worse(0.5))
    shop.call("register")
    shop.call("promote", "latest", "prod")
    shop.train(3, GOOD * 2)
    shop.call("register")
    said = " ".join(shop.call("promote", "latest", "prod").split())

    assert "0 images lost, 5 won against colours@v1.0.0 on 30 of val, p = 1.0000: not shown to be worse" in said
    (_, given) = read_catalog(shop.ledger).models["colours"].assignments
    assert given.event and given.event.data["verdict"]["admitted"]
    assert given.event.data["verdict"]["sets"][0]["won"] == 5
    assert given.event.data["verdict"]["asked"]["compare"] == {"name": "not_worse", "level": 0.05}


def test_code_that_is_not_committed_is_no_version(shop: Shop) -> None:
    (shop.root / "train.py").write_text("# another recipe\n")
    git(shop.root, "commit", "--quiet", "--all", "--message", "changed after the run")
    said = shop.call("register", code=1)

    assert "is not clean: its code is not what commit" in said
    assert "(train.py)" in said
    assert git(shop.root, "tag") == ""


def test_a_run_that_holds_the_evaluation_of_other_weights_is_no_version(shop: Shop) -> None:
    """As after `dvc repro export`, which evaluates nothing."""
    run = shop.ledger.runs()[0]
    stale = dict(run.evaluation, weights_sha256="0" * 64)
    shop.ledger.append(run.run_id, [Event("evaluated", {"metrics": run.metrics, "evaluation": stale})])

    assert "holds the evaluation of other weights" in shop.call("register", code=1)
    assert git(shop.root, "tag") == ""


def test_a_run_is_no_version_of_a_name_that_came_into_params_yaml_after_it(shop: Shop) -> None:
    params, pipeline = shop.root / "params.yaml", shop.root / "dvc.yaml"
    params.write_text(params.read_text().replace("name: colours", "name: tones"))
    git(shop.root, "commit", "--quiet", "--all", "--message", "renamed")
    said = shop.call("register", code=1)

    assert "names the model tones, and run 20261123-142201-7f3a9c made colours: run `dvc repro`" in said
    assert len(said.splitlines()) == 1
    assert git(shop.root, "tag") == ""
    pipeline.write_text(pipeline.read_text().replace("${model.name}", "tones"))
    git(shop.root, "commit", "--quiet", "--all", "--message", "a name that dvc.yaml itself gives")
    assert "tones@v1.0.0" in shop.call("register")


def test_a_lock_that_holds_another_model_is_no_version(shop: Shop) -> None:
    run = shop.ledger.runs()[0]
    shop.train(2, worse(0.5))
    said = shop.call("register", run.run_id, code=1)

    assert f"run {run.run_id} is not clean: dvc.lock of" in said
    assert "holds another models/model.onnx" in said


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_bytes_that_are_not_to_be_had_are_no_version(shop: Shop, damage: str) -> None:
    md5 = shop.ledger.runs()[0].files["models/model.onnx"]["md5"]
    held = shop.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    held.chmod(0o644)
    held.unlink() if damage == "missing" else held.write_bytes(b"x" * held.stat().st_size)
    said = shop.call("register", code=1)

    assert ("is in neither the DVC cache nor a remote" if damage == "missing" else "is damaged in") in said
    assert git(shop.root, "tag") == ""


def test_a_changed_class_list_makes_a_major_version_and_only_shared_classes_are_compared(shop: Shop) -> None:
    shop.call("register")
    shop.call("promote", "latest", "prod")
    shop.train(2, GOOD[:, :2], CLASSES[:2])
    assert "it is a major version" in shop.call("register", "--bump", "minor", code=1)
    assert "colours@v2.0.0" in shop.call("register")
    said = " ".join(shop.call("promote", "2", "prod", code=1).split())

    assert "parity is not known" in said, "evaluate scored other images"
    verdict = " ".join(shop.call("promote", "2", "prod", "--force", "--reason", "to see").split())
    assert (
        "0 images lost, 0 won against colours@v1.0.0 on 20 of val (10 of classes that not both know left out)"
        in verdict
    )


def test_a_model_that_learned_another_class_is_compared_on_those_that_the_current_one_knows(shop: Shop) -> None:
    shop.train(2, GOOD[:, :2], CLASSES[:2], data=CLASSES[:2])
    shop.call("register")
    shop.call("promote", "latest", "prod")
    shop.train(3, GOOD, CLASSES)
    assert "colours@v2.0.0" in shop.call("register")
    said = " ".join(shop.call("promote", "2", "prod").split())

    assert "on 20 of val (10 of classes that not both know left out)" in said
    assert "val holds other images than at the last promotion" in said


def test_a_version_is_downloaded_whole_from_a_bare_address(shop: Shop, hub: Path, tmp_path: Path) -> None:
    shop.call("register")
    shop.call("promote", "latest", "prod")
    shutil.rmtree(shop.root / ".dvc/cache")
    empty = tmp_path / "empty"
    empty.mkdir()
    shop.call("download", "colours#prod", "model", "--repo", str(hub), root=empty)

    assert sha256_of(empty / "model/model.onnx") == sha256_of(shop.root / "models/model.onnx")
    assert sha256_of(empty / "model/model.safetensors") == sha256_of(shop.root / "models/model.safetensors")
    provenance = json.loads((empty / "model/provenance.json").read_text())
    assert (provenance["version"], provenance["run_id"]) == ("colours@v1.0.0", "20261123-142201-7f3a9c")
    assert "## How to use it" in (empty / "model/model-card.md").read_text()
    (empty / "model/model.onnx").write_bytes(b"something else")
    assert "is there with other content" in shop.call(
        "download", "colours#prod", "model", "--repo", str(hub), code=1, root=empty
    )


def test_of_a_host_that_filters_only_the_runs_of_versions_come(shop: Shop, hub: Path, tmp_path: Path) -> None:
    git(hub, "config", "uploadpack.allowFilter", "true")
    shop.train(2, worse(0.5))
    shop.call("register")
    with fetched(str(hub)) as root:
        found = git(root, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)").splitlines()
        ledger = open_ledger(root)
        catalog = read_catalog(ledger)
        assert ledger.run("20261123-142202-7f3a9c").state == "completed"
        assert ledger.file("20261123-142202-7f3a9c", "predictions.csv")
        with pytest.raises(RunhiveError):
            ledger.run("20261123-142201-7f3a9c")

    assert [one.title for one in catalog.models["colours"].versions if not one.doubt] == ["colours@v1.0.0"]
    kept = git(shop.root, "ls-tree", "-r", "--name-only", "refs/runs/main").splitlines()
    events = [path for path in kept if "20261123-142202-7f3a9c" in path and path.endswith("events.json")]
    blobs = sum(line.endswith("blob") for line in found)
    assert blobs == len(events) + 2, "its events, its predictions, and the DVC configuration"
    shutil.rmtree(shop.root / ".dvc/cache")
    shop.call("download", "colours@1", str(tmp_path / "model"), "--repo", str(hub), root=tmp_path)
    assert sha256_of(tmp_path / "model/model.onnx") == sha256_of(shop.root / "models/model.onnx")


def test_a_lock_on_a_tag_that_a_killed_process_left_is_taken_over(shop: Shop) -> None:
    lock = shop.root / ".git/refs/tags/colours@v1.0.0.lock"
    lock.write_text("")
    os.utime(lock, (0, 0))

    assert "colours@v1.0.0" in shop.call("register")


def test_a_hub_whose_head_is_no_branch_of_it_gives_the_files_too(shop: Shop, hub: Path, tmp_path: Path) -> None:
    """`git init --bare` names a branch of the machine's own configuration, whatever is pushed later."""
    git(hub, "symbolic-ref", "HEAD", "refs/heads/trunk")
    shop.call("register")
    shutil.rmtree(shop.root / ".dvc/cache")
    shop.call("download", "colours@1", str(tmp_path / "model"), "--repo", str(hub), root=tmp_path)

    assert sha256_of(tmp_path / "model/model.onnx") == sha256_of(shop.root / "models/model.onnx")


def test_a_hub_without_a_ledger_says_how_to_push_it(shop: Shop, hub: Path, tmp_path: Path) -> None:
    said = shop.call("download", "colours@1", str(tmp_path / "model"), "--repo", str(hub), code=1, root=tmp_path)

    assert "the repository has no ledger (refs/runs/main): push it there with `runhive runs push`" in said


def test_a_damaged_remote_gives_no_file(shop: Shop, hub: Path, tmp_path: Path) -> None:
    shop.call("register")
    shutil.rmtree(shop.root / ".dvc/cache")
    for held in (tmp_path / "store").rglob("*"):
        if held.is_file():
            held.chmod(0o644)
            held.write_bytes(b"x" * held.stat().st_size)
    said = shop.call("download", "colours@1", str(tmp_path / "to"), code=1)

    assert "is in neither the DVC cache nor a remote, and damaged in the remote store" in said
    assert list((tmp_path / "to").iterdir()) == []


def test_a_tag_made_by_hand_is_unverified_and_cannot_be_promoted(shop: Shop) -> None:
    git(shop.root, "tag", "--annotate", "colours@v3.0.0", "--message", "mine")
    assert "unverified: made by hand" in shop.call("list")
    assert "colours@v3.0.0 is unverified (made by hand)" in shop.call("promote", "v3.0.0", "prod", code=1)
    assert "has colours@v3.0.0 already (made by hand)" in shop.call("register", code=1)


def test_a_tag_made_by_hand_beside_a_version_takes_no_alias_from_it(second: Shop) -> None:
    git(second.root, "tag", "--annotate", "colours@v9.0.0", "--message", "mine", "colours@v1.0.0^{commit}")
    model = read_catalog(second.ledger).models["colours"]

    assert model.aliases["prod"].doubt == ""
    assert str(model.aliases["prod"].version) == "1.0.0"


def test_a_tag_moved_to_another_commit_is_unverified(shop: Shop) -> None:
    shop.call("register")
    message = git(shop.root, "for-each-ref", "--format=%(contents)", "refs/tags/colours@v1.0.0")
    git(shop.root, "commit", "--quiet", "--allow-empty", "--message", "later")
    git(shop.root, "tag", "--force", "--annotate", "colours@v1.0.0", "--message", message)

    (version,) = read_catalog(shop.ledger).models["colours"].versions
    assert version.doubt == "its tag is not where its record says"
    assert "unverified: its tag is not where its record says" in shop.call("verify", code=1)


def test_versions_are_ordered_by_number_whatever_the_time_of_their_tags(shop: Shop) -> None:
    for version, time in (("1.10.0", 1), ("1.9.0", 3), ("1.2.0", 2)):
        git(shop.root, "-c", f"user.name={time}", "tag", "--annotate", f"colours@v{version}", "--message", "x")

    found = read_catalog(shop.ledger).models["colours"].versions
    assert [str(one.version) for one in found] == ["1.2.0", "1.9.0", "1.10.0"]


def test_a_deprecated_version_is_out_of_use_for_gto_too(second: Shop) -> None:
    assert "is prod: promote another to that first" in second.call("deprecate", "v1.0.0", code=1)
    second.call("deprecate", "v1.1.0", "--reason", "worse")

    assert json.loads(gto(second, "show", "--json"))["colours"]["version"] == "v1.0.0"
    assert "is deprecated: promote another" in second.call("promote", "v1.1.0", "dev", code=1)
    assert "deprecated" in second.call("list")


def test_notes_tags_and_archive_of_a_version(second: Shop) -> None:
    second.call("note", "1.1.0", "for the paper")
    second.call("tag", "1.1.0", "+best", "+old")
    assert "best" in second.call("tag", "1.1.0", "--", "-old")
    second.call("archive", "1.1.0")

    assert second.call("note", "1.1.0") == "for the paper\n"
    assert "v1.1.0" not in second.call("list")
    assert "archived" in second.call("list", "--all")


def test_lineage_goes_both_ways(second: Shop) -> None:
    assert "20261123-142202-7f3a9c" in second.call("lineage", "colours@2")
    assert "colours@v1.1.0" in second.call("lineage", "20261123-142202-7f3a9c")
    assert "0 won, 5 lost" in second.call("diff", "1", "2")
    assert "train.lr" in second.call("diff", "1", "2")


def test_verify_tells_what_does_not_hold_of_which_version(second: Shop) -> None:
    assert "2 versions hold" in second.call("verify")
    md5 = second.ledger.run("20261123-142202-7f3a9c").files["models/model.onnx"]["md5"]
    held = second.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    held.chmod(0o644)
    held.unlink()
    said = second.call("verify", code=1)

    assert "colours@v1.1.0: models/model.onnx" in said
    assert "1 of 2 do not hold" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "colours@9"), "colours has no version '9'"),
        (("show", "colour@1"), "did you mean colours?"),
        (("show", "colours#staging"), "colours has no alias 'staging' (there: prod)"),
        (("promote", "1", "Prod!"), "is no alias"),
        (("promote", "1", "1"), "is no alias"),
        (("promote", "1", "prod"), "colours#prod is colours@v1.0.0 already"),
        (("register", "--name", "Ants"), "is no name of a model"),
        (("register", "--name", "ants"), "declares no artifact ants"),
        (("rollback", "staging"), "has no alias 'staging'"),
    ],
)
def test_a_mistake_is_one_line(shop: Shop, words: tuple[str, ...], said: str) -> None:
    shop.call("register")
    shop.call("promote", "1", "prod")
    told = shop.call(*words, code=1)

    assert said in told
    assert len(told.splitlines()) == 1


def test_the_preprocessing_is_part_of_the_record(shop: Shop) -> None:
    shop.call("register")
    (version,) = read_catalog(shop.ledger).models["colours"].versions

    assert version.record["preprocess"]["image_size"] == PREPROCESS.image_size
    assert version.record["classes"] == CLASSES


def outside() -> bytes:
    """An ONNX file that keeps its weights in a file outside of its folder."""
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    weights.external_data.add(key="location", value="../../secret")
    graph = helper.make_graph([], "g", [], [], [weights])
    return bytes(onnx.ModelProto.SerializeToString(helper.make_model(graph)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda whole: b"\x80\x04\x95pickled", "a pickle, which can run any code when it is opened"),
        (lambda whole: whole[: len(whole) // 2], "is refused"),
        (lambda whole: b"", "empty"),
        (lambda whole: outside(), "keeps weights outside of itself"),
        (lambda whole: whole.replace(b"schema_version\x12\x011", b"schema_version\x12\x019"), "has schema version '9'"),
    ],
)
def test_a_version_whose_onnx_file_is_not_one_of_ours_is_refused_by_the_gate_in_one_line(
    shop: Shop, content: Callable[[bytes], bytes], said: str
) -> None:
    """The run recorded these bytes as its model, so that every digest holds; only what they are is wrong."""
    shop.train(2, worse(0.5), foreign=content)
    shop.call("register")
    told = shop.call("promote", "latest", "prod", code=1)

    assert said in told
    assert told.startswith("models/model.onnx of colours@v1.0.0 ")
    assert len(told.splitlines()) == 1
    assert read_catalog(shop.ledger).models["colours"].aliases == {}


def test_a_model_that_answers_no_numbers_is_refused_also_by_force(shop: Shop) -> None:
    nothing = np.full_like(GOOD, np.nan).tobytes()
    shop.train(2, foreign=lambda whole: whole.replace(GOOD.tobytes(), nothing))
    shop.call("register")

    assert "answers no finite numbers on val" in shop.call("promote", "1", "prod", "--force", "--reason", "x", code=1)


def test_the_gate_at_registration_compares_with_the_latest_version(shop: Shop) -> None:
    params = shop.root / "params.yaml"
    params.write_text(params.read_text().replace("on_register: false", "on_register: true"))
    assert "no model had this alias" in " ".join(shop.call("register").split())
    shop.train(2, worse(0.5))
    said = shop.call("register", code=1)

    assert "colours@v1.1.0 is refused: 5 images lost, 0 won against colours@v1.0.0 on 30 of val" in said
    assert git(shop.root, "tag") == "colours@v1.0.0"
    shop.call("register", "--force", "--reason", "to compare")
    assert "registered, forced" in shop.call("list")


def test_a_set_that_is_frozen_with_another_digest_is_not_measured_on(shop: Shop) -> None:
    shop.call("register")
    params = shop.root / "params.yaml"
    params.write_text(params.read_text().replace("{val: null}", "{val: " + "a" * 64 + "}"))

    assert "gate.evaluation_sets.val: the images here have digest" in shop.call("promote", "1", "prod", code=1)


def test_an_image_that_changed_under_the_gate_is_told_by_name(shop: Shop) -> None:
    shop.call("register")
    (shop.root / "data/images/val/rot/3.png").write_bytes(b"another")

    assert "val/rot/3.png has other bytes than the manifest says" in shop.call("promote", "1", "prod", code=1)


def test_a_candidate_whose_epoch_was_chosen_on_the_set_is_refused_where_the_gate_says_so(shop: Shop) -> None:
    digest = shop.ledger.runs()[0].evaluation["evaluation_set"]["digest"]
    shop.train(2, GOOD * 2, selection=digest)
    shop.call("register")
    params = shop.root / "params.yaml"
    params.write_text(params.read_text().replace("selected: say", "selected: refuse"))
    assert "its epoch was chosen on val, which gate.selected refuses" in shop.call("promote", "1", "prod", code=1)
    params.write_text(params.read_text().replace("selected: refuse", "selected: say"))

    assert "Note: its epoch was chosen on val" in shop.call("promote", "1", "prod")

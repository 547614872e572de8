"""`dvc repro` from images to a site, and what runs again when something changes."""

import json
import re
from datetime import datetime
from pathlib import Path
from time import time

import pytest
import yaml
from workspace import Workspace

pytestmark = pytest.mark.slow


def stages_run(output: str) -> list[str]:
    return re.findall(r"Running stage '(\w+)'", output)


def event_types(workspace: Workspace) -> list[str]:
    (run,) = workspace.runs()
    return [event.type for event in run.events]


def test_a_first_repro_leaves_only_the_lock_and_the_metrics_to_commit(finished: Workspace) -> None:
    changed = finished.git("status", "--porcelain", "--untracked-files=all").split("\n")

    assert sorted(filter(None, changed)) == ["?? dvc.lock", "?? results/metrics.json"]


def test_a_first_repro_records_one_completed_run_with_all_its_results(finished: Workspace) -> None:
    (run,) = finished.runs()

    assert run.state == "completed"
    assert run.attempt == 1
    assert run.metrics["val.accuracy"] == run.evaluation["accuracy"]
    assert set(run.phases) == set(run.began) == {"fetch", "preparing", "train", "evaluate", "export", "record"}
    assert event_types(finished) == [
        "started", "enclosed", "prepared", "used", "used", "used", "filed", "fetched", "trained", "evaluated",
        "exported", "compared", "filed", "recorded", "finished", "enclosed",
    ]  # fmt: skip
    assert set(finished.ledger().files(run.run_id)) == {
        "data_report.json", "dvc.lock", "history.csv", "log.txt", "manifest.csv", "packages.txt", "params.yaml",
        "predictions.csv", "system.csv",
    }  # fmt: skip


def test_a_run_holds_the_log_of_its_stages_what_they_used_and_what_they_made(finished: Workspace) -> None:
    (run,) = finished.runs()
    log = (finished.ledger().file(run.run_id, "log.txt") or b"").decode()
    lock = yaml.safe_load((finished.root / "dvc.lock").read_text())["stages"]
    outs = {out["path"]: out["md5"] for stage in ("train", "export") for out in lock[stage]["outs"]}

    headings = [line for line in log.splitlines() if line.startswith("== ")]
    assert headings == ["== fetch ==", "== train ==", "== evaluate ==", "== export =="]
    assert "epoch 3/3" in log
    assert run.launcher["command"] == "dvc repro"
    assert run.used["cpu_seconds"] > 0
    assert run.used["peak_memory_bytes"] > 100e6
    for path in ("models/model.safetensors", "models/model.onnx", "models/model.json"):
        assert run.files[path]["md5"] == outs[path]
    assert run.files["models/model.onnx"]["sha256"] == run.parity["onnx_sha256"]
    assert run.files["models/model.safetensors"]["sha256"] == run.training["weights_sha256"]
    whole = finished.root / ".dvc/cache/files/md5" / run.files["log.txt"]["md5"][:2] / run.files["log.txt"]["md5"][2:]
    assert whole.read_text() == log


def test_the_metrics_that_git_tracks_are_those_of_the_run(finished: Workspace) -> None:
    (run,) = finished.runs()
    tracked = json.loads((finished.root / "results/metrics.json").read_text())

    flat = {f"{group}.{name}": value for group, numbers in tracked.items() for name, value in numbers.items()}
    assert flat == run.metrics


def test_a_run_keeps_the_manifest_and_the_data_report_as_they_were(finished: Workspace) -> None:
    (run,) = finished.runs()
    kept = {name: finished.ledger().file(run.run_id, name) for name in ("manifest.csv", "data_report.json")}

    assert kept["manifest.csv"] == (finished.root / "data/manifest.csv").read_bytes()
    assert kept["data_report.json"] == (finished.root / "data/report.json").read_bytes()
    assert run.data["digest"][:12] in (finished.root / "site/data/index.html").read_text()


def test_a_first_repro_builds_the_page_of_its_run(finished: Workspace) -> None:
    (run,) = finished.runs()

    assert run.run_id in (finished.root / f"site/runs/{run.run_id}.html").read_text()


def test_a_second_repro_does_nothing(workspace: Workspace) -> None:
    tip, site = workspace.ledger().tip(), (workspace.root / "site/stamp.json").stat().st_mtime_ns
    output = workspace.run("dvc", "repro")

    assert stages_run(output) == []
    assert workspace.ledger().tip() == tip
    assert (workspace.root / "site/stamp.json").stat().st_mtime_ns == site


def test_an_export_parameter_runs_export_and_what_follows_and_adds_to_the_same_run(workspace: Workspace) -> None:
    before = event_types(workspace)
    everything = "export.most_changed={fp16: 1.0, int8: 1.0}"
    workspace.change_params("export.tolerance=0.002", "export.variants=[fp32, fp16, int8]", everything)
    output = workspace.run("dvc", "repro")

    assert stages_run(output) == ["export", "record", "report"]
    assert event_types(workspace) == [*before, "used", "filed", "exported", "filed", "finished", "enclosed"]
    (run,) = workspace.runs()
    log = (workspace.ledger().file(run.run_id, "log.txt") or b"").decode()
    assert log.count("== train ==") == 1
    assert log.count("== export ==") == 2
    assert {one["name"]: one["onnx_sha256"] for one in run.parity["variants"]} == {
        name: run.files[f"models/variants/{name}.onnx"]["sha256"] for name in ("fp16", "int8")
    }
    assert {"export.int8_bytes", "export.int8_top1_agreement", "export.fp16_bytes"} <= set(run.metrics)
    rows = workspace.run("python", "pipeline", "predict", run.run_id, "images/val", "--variant", "int8").splitlines()
    assert len(rows) == 17 and all(f",,my-model,{run.run_id}," in row for row in rows[1:])


def test_recording_the_same_results_again_adds_nothing(workspace: Workspace) -> None:
    tip = workspace.ledger().tip()
    workspace.run("dvc", "repro", "--force", "--single-item", "record")

    assert workspace.ledger().tip() == tip


@pytest.mark.fault(
    "record",
    "a kill tore `dvc.lock`",
    wanted="without the file all comes from DVC's run cache; nothing is trained or recorded again",
)
def test_a_torn_lock_of_dvc_is_removed_and_nothing_is_trained_again(workspace: Workspace) -> None:
    (workspace.root / "dvc.lock").write_text("")
    refused = workspace.start("dvc", "repro")
    output, _ = refused.communicate()

    assert refused.returncode != 0
    assert "dvc.lock" in output

    (workspace.root / "dvc.lock").unlink()
    before = event_types(workspace)
    output = workspace.run("dvc", "repro")

    assert stages_run(output) == ["record", "report"]
    assert event_types(workspace) == before


def test_a_restored_model_points_at_the_run_that_made_it(retrained: Workspace, tmp_path: Path) -> None:
    second, first = retrained.runs()
    back = retrained.copy_to(tmp_path / "repository")
    back.change_params("train.lr=0.01")
    output = back.run("dvc", "repro")

    assert stages_run(output) == ["record", "report"]
    assert {run.run_id for run in back.runs()} == {first.run_id, second.run_id}
    assert json.loads((back.root / "models/train.json").read_text())["run_id"] == first.run_id


def test_a_run_is_compared_with_that_of_the_base_commit(retrained: Workspace) -> None:
    second, first = retrained.runs()

    assert second.comparison["comparable"]
    assert second.comparison["baseline"] == first.run_id
    assert second.comparison["reason"].startswith("the run of the base commit")


def test_training_again_by_force_is_a_new_run_with_the_same_bytes(workspace: Workspace) -> None:
    lock = workspace.root / "dvc.lock"

    def model_digests() -> dict[str, str]:
        stages = yaml.safe_load(lock.read_text())["stages"]
        outs = [out for stage in ("train", "export") for out in stages[stage]["outs"]]
        kept = ("models/model.safetensors", "models/model.json", "models/model.onnx")
        return {out["path"]: out["md5"] for out in outs if out["path"] in kept}

    before = model_digests()
    workspace.run("dvc", "repro", "--force", "--single-item", "train")
    workspace.run("dvc", "repro", "--force", "--single-item", "export")

    assert len(workspace.runs()) == 2
    assert model_digests() == before
    assert len({run.input_digest for run in workspace.runs()}) == 1


def test_experiments_in_place_in_temp_and_queued_all_land_in_the_one_ledger(workspace: Workspace) -> None:
    workspace.git("add", "-A")
    workspace.git("commit", "-qm", "First run")
    workspace.run("dvc", "exp", "run", "-S", "train.lr=0.011")
    workspace.run("dvc", "exp", "run", "--temp", "-S", "train.lr=0.012")
    code = workspace.root / "pipeline/runhive/stages/environment.py"
    own = code.read_text()
    code.write_text(own.replace('"device": ', '"edited": "yes", "device": '))
    enqueued = time()
    for rate in ("0.013", "0.014"):
        workspace.run("dvc", "exp", "run", "--queue", "-S", f"train.lr={rate}")
    code.write_text(own)
    dequeued = time()
    workspace.run("dvc", "exp", "run", "--run-all")

    runs = {run.params["train"]["lr"]: run for run in workspace.runs()}
    assert {run.state for run in runs.values()} == {"completed"}
    assert set(runs) == {0.01, 0.011, 0.012, 0.013, 0.014}
    assert all([event.type for event in run.events].count("finished") == 1 for run in runs.values())
    assert runs[0.011].launcher["command"] == runs[0.012].launcher["command"] == "dvc exp run"
    assert all(b"epoch 3/3" in (workspace.ledger().file(run.run_id, "log.txt") or b"") for run in runs.values())
    edited = {rate for rate, run in runs.items() if run.environment.get("edited") == "yes"}
    assert edited == {0.013, 0.014}, "the queued ones run the code that they were queued with"
    assert {rate for rate, run in runs.items() if "queued" in run.phases} == {0.013, 0.014}
    assert {runs[rate].launcher["command"] for rate in (0.013, 0.014)} == {"dvc queue"}
    for rate in (0.013, 0.014):
        since = datetime.fromisoformat(runs[rate].began["queued"]).timestamp()
        until = since + runs[rate].phases["queued"]
        assert enqueued - 1 <= since <= dequeued, "Git keeps whole seconds"
        assert dequeued - 1 <= until <= datetime.fromisoformat(runs[rate].started_at).timestamp() + 1
    assert all((workspace.root / f"site/runs/{run.run_id}.html").exists() for run in runs.values())


def test_dvc_shows_metrics_and_plots_of_two_revisions(retrained: Workspace, tmp_path: Path) -> None:
    metrics = json.loads(retrained.run("dvc", "metrics", "diff", "--json"))
    retrained.run("dvc", "plots", "diff", "--out", str(tmp_path / "plots"))

    assert "nll" in str(metrics)
    assert "confusion" in (tmp_path / "plots/index.html").read_text()


@pytest.mark.fault(
    "export",
    "export ends with an error",
    wanted="the run has failed, with the cause",
    said="export: … times export.tolerance …",
)
def test_a_failing_export_is_told_by_the_run(workspace: Workspace) -> None:
    workspace.change_params("export.tolerance=1.0e-15")
    process = workspace.start("dvc", "repro")
    output, _ = process.communicate()

    assert process.returncode != 0
    assert "times export.tolerance" in output
    (run,) = workspace.runs()
    assert run.state == "failed"
    assert run.cause is not None and run.cause.startswith("export: the ONNX model differs")
    assert b"times export.tolerance" in (workspace.ledger().file(run.run_id, "log.txt") or b"")


def test_a_clone_does_not_carry_the_ledger_and_can_fetch_it(workspace: Workspace, tmp_path: Path) -> None:
    clone = Workspace(tmp_path / "clone")
    workspace.git("clone", "-q", str(workspace.root), str(clone.root))

    assert clone.runs() == []

    clone.git("fetch", "-q", "origin", "refs/runs/main:refs/runs/main")
    assert clone.runs() == workspace.runs()

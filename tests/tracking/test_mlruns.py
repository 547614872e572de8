"""MLflow's file store, as MLflow 3.17 lays it out, becomes runs; importing again adds only what is new."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.marks import archive, note
from runhive.tracking.mlflow_import import import_mlruns
from runhive.tracking.mlruns import read_store

PARENT, CHILD, KILLED = ("3192cd0cae8e407e8b0c19d4ff52c7a5", "98ebdcd4395b4d94928ed449f3f1dc91", "b" * 32)
START = 1795598953723  # milliseconds: 2026-11-25T09:29:13.723Z


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one empty experiment and one of three runs, one of them deleted."""
    root = tmp_path / "mlruns"
    add_experiment(root, "0", "Default")
    add_experiment(root, "539475453095444623", "ants and bees")
    (root / "models").mkdir()
    (root / ".trash").mkdir()
    tags = {"team": "ants", "best": "", "mlflow.note.content": "two\nlines", "mlflow.user": "bee",
            "mlflow.source.git.commit": "a" * 40}  # fmt: skip
    add_run(
        root, PARENT, name="first", tags=tags,
        params={"lr": "0.01", "layers": "18", "optimizer/name": "sgd", "flag": "True", "seed": "007", "none": "None"},
        metrics={
            "loss": f"{START + 100} 1.0 0\n{START + 200} 0.5 1\n",
            "val/accuracy": f"{START + 100} 0.5 0\n{START + 200} 0.9 1 data 3f\n",
            "bad": f"{START + 100} nan 0\n",
        },
        artifacts={"c.json": b"{}", "notes/a.txt": b"hello"},
    )  # fmt: skip
    add_run(root, CHILD, name="child", status=4, tags={"mlflow.parentRunId": PARENT}, deleted=True)
    add_run(root, KILLED, name="killed", status=1, ended=False, metrics={"loss": f"{START + 5000} 3.0 0\n"})
    return root


def add_experiment(root: Path, number: str, name: str) -> None:
    (root / number).mkdir(parents=True)
    (root / number / "meta.yaml").write_text(
        f"artifact_location: file:///x/{number}\ncreation_time: {START}\nexperiment_id: '{number}'\n"
        f"last_update_time: {START}\nlifecycle_stage: active\nname: {name}\n"
    )


def add_run(
    root: Path, run_id: str, name: str, status: int = 3, ended: bool = True, deleted: bool = False,
    params: Mapping[str, str] = {}, metrics: Mapping[str, str] = {}, tags: Mapping[str, str] = {},
    artifacts: Mapping[str, bytes] = {}, experiment: str = "539475453095444623",
) -> Path:  # fmt: skip
    folder = root / experiment / run_id
    for part in ("params", "metrics", "tags", "artifacts"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    texts = {"params": params, "metrics": metrics, "tags": {"mlflow.runName": name, **tags}}
    files = {f"{part}/{key}": text.encode() for part, those in texts.items() for key, text in those.items()}
    for path, content in (files | {f"artifacts/{path}": one for path, one in artifacts.items()}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "meta.yaml").write_text(
        f"artifact_uri: file:///x/{run_id}/artifacts\nend_time: {START + 70_000 if ended else 'null'}\n"
        f"entry_point_name: ''\nexperiment_id: '{experiment}'\n"
        f"lifecycle_stage: {'deleted' if deleted else 'active'}\nrun_id: {run_id}\nrun_name: {name}\n"
        f"source_name: ''\nsource_type: 4\nsource_version: ''\n"
        f"start_time: {START}\nstatus: {status}\ntags: []\nuser_id: bee\n"
    )
    return folder


def named(ledger: Ledger) -> dict[str, Run]:
    return {run.name: run for run in ledger.runs()}


def test_runs_come_with_all_that_mlflow_knew(store: Path, ledger: Ledger) -> None:
    done = import_mlruns(ledger, store)
    run = named(ledger)["first"]

    assert len(done.new) == 3
    assert run.run_id.startswith("20261125-092913-")
    assert (run.experiment, run.state, run.tags) == ("ants and bees", "completed", ("best", "team=ants"))
    assert run.notes == "two\nlines"
    assert run.params == {
        "flag": True, "layers": 18, "lr": 0.01, "none": None, "optimizer.name": "sgd", "seed": "007",
    }  # fmt: skip
    assert run.metrics == {"loss": 0.5, "val.accuracy": 0.9}
    assert run.code["commit"] == "a" * 40
    assert (run.started_at, run.ended_at) == ("2026-11-25T09:29:13.723+00:00", "2026-11-25T09:30:23.723+00:00")
    assert (run.launcher["command"], run.launcher["run_id"]) == ("MLflow", PARENT)


def test_metrics_by_step_and_artifacts_are_kept(store: Path, ledger: Ledger) -> None:
    import_mlruns(ledger, store)
    run = named(ledger)["first"]
    table = ledger.file(run.run_id, "scalars.csv")

    assert table is not None
    assert table.decode().splitlines()[0] == "step,name,value,seconds"
    assert "1,val.accuracy,0.9,0.2" in table.decode()
    assert {path: file["bytes"] for path, file in run.files.items()} == {"c.json": 2, "notes/a.txt": 5}


def test_states_parents_and_deletion_come_along(store: Path, ledger: Ledger) -> None:
    import_mlruns(ledger, store)
    runs = named(ledger)

    assert runs["child"].parent == runs["first"].run_id
    assert (runs["child"].state, runs["child"].archived) == ("failed", True)
    assert (runs["killed"].state, runs["killed"].cause) == ("lost", "MLflow's store holds no end of it")
    assert runs["killed"].ended_at == "2026-11-25T09:29:18.723+00:00"


def test_importing_again_adds_nothing(store: Path, ledger: Ledger) -> None:
    import_mlruns(ledger, store)
    tip = ledger.tip()
    done = import_mlruns(ledger, store)

    assert ledger.tip() == tip
    assert (len(done.new), len(done.changed), len(done.same)) == (0, 0, 3)


def test_a_run_that_went_on_in_mlflow_is_brought_up_to_date(store: Path, ledger: Ledger) -> None:
    import_mlruns(ledger, store)
    add_run(store, KILLED, name="killed", status=3, metrics={"loss": f"{START + 5000} 3.0 0\n{START + 6000} 1.0 1\n"})
    done = import_mlruns(ledger, store)

    assert len(done.changed) == 1
    assert (named(ledger)["killed"].state, named(ledger)["killed"].metrics) == ("completed", {"loss": 1.0})


def test_what_people_said_since_stays(store: Path, ledger: Ledger) -> None:
    import_mlruns(ledger, store)
    note(ledger, named(ledger)["first"], "better words")
    archive(ledger, named(ledger)["child"], False)
    import_mlruns(ledger, store)

    assert named(ledger)["first"].notes == "better words"
    assert not named(ledger)["child"].archived


def test_artifacts_go_into_the_cache_where_that_is_asked_for(store: Path, ledger: Ledger, repository: Path) -> None:
    import_mlruns(ledger, store, repository)
    md5 = named(ledger)["first"].files["notes/a.txt"]["md5"]

    assert (repository / f".runhive/cache/files/md5/{md5[:2]}/{md5[2:]}").read_bytes() == b"hello"


def test_two_runs_of_one_second_are_two_runs(store: Path, ledger: Ledger) -> None:
    for number in range(20):
        add_run(store, f"{number:032x}", name=str(number))

    assert len(import_mlruns(ledger, store).new) == len(ledger.runs()) == 23


def test_secrets_are_masked(store: Path, ledger: Ledger) -> None:
    token = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
    add_run(store, "c" * 32, name="x", params={"key": token}, tags={"mlflow.note.content": token, "t": token})
    import_mlruns(ledger, store)

    assert token not in repr(named(ledger)["x"])


@pytest.mark.parametrize(
    "meta", ["status: 3\n", "[", "status: 99\nrun_id: a\nstart_time: 1\n", "run_id: a\nstatus: 3\nx: 1\n"]
)
def test_a_damaged_run_is_left_out_and_named(meta: str, store: Path, ledger: Ledger) -> None:
    (store / "539475453095444623" / CHILD / "meta.yaml").write_text(meta)
    with pytest.warns(UserWarning, match=f"left out: .*{CHILD} is damaged"):
        done = import_mlruns(ledger, store)

    assert len(done.new) == 2


@pytest.mark.parametrize("folder", ["", "nowhere", "539475453095444623"])
def test_what_is_no_store_is_one_line(folder: str, store: Path, ledger: Ledger) -> None:
    place = store / folder if folder else store.parent
    with pytest.raises(RunhiveError, match="is no file store of MLflow"):
        import_mlruns(ledger, place)


def test_links_in_a_store_are_not_followed(store: Path, ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    folder = add_run(store, "c" * 32, name="x")
    (folder / "params/stolen").symlink_to(tmp_path / "secret")
    (folder / "artifacts/stolen").symlink_to(tmp_path / "secret")
    import_mlruns(ledger, store)

    assert (named(ledger)["x"].params, named(ledger)["x"].files) == ({}, {})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(content=st.binary(max_size=200))
def test_whatever_a_metric_file_holds_the_run_is_read(content: bytes, store: Path) -> None:
    (store / "539475453095444623" / PARENT / "metrics/loss").write_bytes(content)
    (run,) = [run for run in read_store(store) if run.run_id == PARENT]

    assert "loss" in run.metrics()

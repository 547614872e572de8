"""The benchmarks measure what they say. No timings: only that the loop, the costs and the page are right."""

import ast
import re
import sys
from pathlib import Path

import gpu
import harness
import page
import PIL.Image
import pytest
import torch
import tutorial
from distributed import on_paper

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/explanation/performance.md"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Six images to learn from and two to check."""
    for split, n in (("train", 3), ("val", 1)):
        for red, label in ((30, "dark"), (220, "light")):
            folder = tmp_path / "images" / split / label
            folder.mkdir(parents=True)
            for index in range(n):
                PIL.Image.new("RGB", (40 + index, 32), (red, 99, 99)).save(folder / f"{index}.png")
    return tmp_path / "images"


def test_the_tutorial_s_loop_tells_each_epoch_and_what_it_cost(images: Path, tmp_path: Path) -> None:
    command = harness.script("tutorial", images, "resnet18", "--weights", "none", "--epochs", 2)
    cost = harness.run(command, tmp_path)

    assert [mark.line.partition("  ")[0] for mark in cost.marks[:2]] == ["epoch 1/2", "epoch 2/2"]
    assert re.fullmatch(r"best [01]\.\d{4}", cost.marks[2].line)
    assert 0 < cost.between("epoch 1/", "epoch 2/").cpu < cost.cpu
    assert cost.peak > 100 * 2**20


def test_the_frozen_loop_learns_the_head_alone_and_its_batch_norm_drifts() -> None:
    network = tutorial.make_network("efficientnet_lite0", 2, "none")
    head = tutorial.freeze_all_but_head(network, "efficientnet_lite0")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    tutorial.run_phase(network, [(torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 0, 1]))], torch.optim.SGD(head, 0.1))
    changed = {name for name, tensor in network.state_dict().items() if not tensor.equal(before[name])}

    assert {name for name in changed if "running" not in name and "tracked" not in name} == {
        "classifier.weight",
        "classifier.bias",
    }
    assert any("running_mean" in name for name in changed)


def test_the_cost_of_a_process_has_that_of_its_children(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print('over')"
    cost = harness.run([sys.executable, "-c", parent], tmp_path)

    assert cost.cpu >= 0.3
    assert cost.marks[0].cpu >= 0.3


def test_a_failing_process_ends_the_benchmark_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no such thing\nbenchmarks: .* failed"):
        harness.run([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path)


def test_variants_run_in_turn_and_are_compared_within_a_round() -> None:
    seen: list[str] = []
    found = harness.in_turn({name: lambda name=name: seen.append(name) or len(seen) for name in "AB"}, 2)

    assert seen == ["A", "B", "A", "B"]
    assert found == {"A": [1, 3], "B": [2, 4]}
    assert harness.ratios([2.0, 8.0, 9.0], [1.0, 2.0, 3.0]) == "3.00 (2.00–4.00)"


def test_a_table_replaces_only_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "performance.md"
    copy.write_text("before\n<!-- begin a -->\nold\n<!-- end a -->\n<!-- begin b -->\nkept\n<!-- end b -->\n")
    monkeypatch.setattr(page, "PAGE", copy)
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.setattr(page, "machine", lambda: "*machine*")
    page.publish("a", page.table(("x", "y"), [("1", 2)]))

    assert copy.read_text() == (
        "before\n<!-- begin a -->\n\n| x | y |\n| --- | ---: |\n| 1 | 2 |\n\n*machine*\n\n<!-- end a -->\n"
        "<!-- begin b -->\nkept\n<!-- end b -->\n"
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_the_benchmark_of_a_gpu_says_in_a_line_that_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^benchmarks: gpu: no CUDA device here: run it on a machine with a GPU.*$"):
        gpu.measure(tmp_path, None, 1)


def test_every_benchmark_has_a_script_and_its_table_on_the_page() -> None:
    main = ast.parse((ROOT / "tests/benchmarks/__main__.py").read_text())
    names, asked_for = (
        [ast.literal_eval(key) for key in node.value.keys if key]
        for node in main.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    )
    tables = re.findall(r"<!-- begin (\w+) -->\n\n(.*?)<!-- end \1 -->", PAGE.read_text(), re.DOTALL)

    names.remove("ledger")  # whose tables are on the ledger's page
    assert sorted(name for name, _ in tables) == sorted(names)
    assert all("| ---" in body and "commit" in body for _, body in tables)
    assert [name for name in names + asked_for if not (ROOT / f"tests/benchmarks/{name}.py").exists()] == []


def test_the_table_of_many_gpus_is_that_of_the_model() -> None:
    assert on_paper() in PAGE.read_text()

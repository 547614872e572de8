"""The state of the code, in every kind of repository that there is."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.repository import baseline_commit, code_state, file_at, main_root, open_repository

Git = Callable[..., str]


def commit(git: Git, root: Path, message: str) -> str:
    git(root, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return git(root, "rev-parse", "HEAD")


def test_the_root_is_found_from_a_folder_within(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(repository / "deep" / "er")

    assert main_root() == repository


def test_dvc_root_names_the_real_repository(
    repository: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    git(tmp_path, "init", "--quiet", str(temporary))
    monkeypatch.chdir(temporary)
    assert main_root() == temporary.resolve()

    monkeypatch.setenv("DVC_ROOT", str(repository))

    assert main_root() == repository


def test_a_linked_worktree_has_the_main_one_as_root(
    repository: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    monkeypatch.chdir(tmp_path / "linked")
    assert main_root() == repository

    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "linked"))

    assert main_root() == repository


def test_a_worktree_of_a_bare_repository_is_its_own_root(
    repository: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    monkeypatch.chdir(tmp_path / "linked")

    assert main_root() == (tmp_path / "linked").resolve()


def test_no_repository_says_git_init(tmp_path: Path) -> None:
    with pytest.raises(RunhiveError, match=r"go to your project's folder.*`git init`"):
        open_repository(tmp_path)


@pytest.mark.parametrize(
    ("options", "extension", "reason"),
    [
        (["--object-format=sha256"], None, "SHA-256"),
        ([], "refStorage=reftable", "reftable"),
        ([], "nobodyKnows=1", "nobodyknows"),
        (["--bare"], None, "bare"),
    ],
)
def test_a_repository_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, git: Git, options: list[str], extension: str | None, reason: str
) -> None:
    git(tmp_path, "init", "--quiet", *options, ".")
    if extension:
        name, _, value = extension.partition("=")
        git(tmp_path, "config", f"extensions.{name}", value)
        subprocess.run(
            ["git", "config", "-f", tmp_path / ".git/config", "core.repositoryformatversion", "1"], check=True
        )

    with pytest.raises(RunhiveError, match=reason) as caught:
        open_repository(tmp_path)

    assert "\n" not in str(caught.value)


def test_a_clean_tree_is_bound_to_its_commit_and_branch(repository: Path, git: Git) -> None:
    assert code_state(repository) == {
        "commit": git(repository, "rev-parse", "HEAD"),
        "tree": git(repository, "rev-parse", "HEAD^{tree}"),
        "branch": "main",
        "dirty": False,
        "changed": [],
    }


def test_before_the_first_commit_there_is_only_a_branch(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")

    state = code_state(tmp_path)

    assert (state["commit"], state["tree"], state["branch"]) == (None, None, "trunk")
    assert baseline_commit(tmp_path) is None


def test_a_detached_head_has_no_branch(repository: Path, git: Git) -> None:
    git(repository, "checkout", "--quiet", "--detach")

    assert code_state(repository)["branch"] is None


def test_edited_staged_and_deleted_files_are_changes_and_untracked_ones_are_not(repository: Path, git: Git) -> None:
    (repository / "gone.py").write_text("")
    (repository / "edited.py").write_text("")
    git(repository, "add", ".")
    commit(git, repository, "files")
    (repository / "gone.py").unlink()
    (repository / "edited.py").write_text("x = 1\n")
    (repository / "staged.py").write_text("")
    git(repository, "add", "staged.py")
    (repository / "untracked.py").write_text("")

    state = code_state(repository)

    assert state["dirty"] is True
    assert state["changed"] == ["edited.py", "gone.py", "staged.py"]


def test_what_a_run_writes_does_not_make_the_code_dirty(repository: Path, git: Git) -> None:
    for folder in (repository, repository / "project"):
        (folder / "results").mkdir(parents=True)
        for name in ("dvc.lock", "params.yaml", "results/metrics.json"):
            (folder / name).write_text("old\n")
    git(repository, "add", ".")
    commit(git, repository, "results")
    for folder in (repository, repository / "project"):
        for name in ("dvc.lock", "params.yaml", "results/metrics.json"):
            (folder / name).write_text("new\n")

    assert code_state(repository)["dirty"] is False


def test_at_most_fifty_changes_are_listed(repository: Path, git: Git) -> None:
    for number in range(60):
        (repository / f"{number:02d}.py").write_text("")
    git(repository, "add", ".")

    assert len(code_state(repository)["changed"]) == 50


def test_a_file_name_that_is_not_utf8_can_be_recorded(repository: Path, git: Git) -> None:
    (repository / "caf\udce9.py").write_text("")
    git(repository, "add", ".")

    assert code_state(repository)["changed"] == ["caf\N{REPLACEMENT CHARACTER}.py"]


def test_a_branch_is_compared_with_where_it_left_main(repository: Path, git: Git) -> None:
    left = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--quiet", "-b", "try")
    commit(git, repository, "on the branch")
    git(repository, "checkout", "--quiet", "main")
    newest = commit(git, repository, "on main")
    assert baseline_commit(repository) == newest

    git(repository, "checkout", "--quiet", "try")

    assert baseline_commit(repository) == left


def test_without_a_local_main_the_remote_one_counts(repository: Path, tmp_path: Path, git: Git) -> None:
    left = git(repository, "rev-parse", "HEAD")
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    clone = tmp_path / "clone"
    git(clone, "-c", "user.name=b", "-c", "user.email=b", "checkout", "--quiet", "-b", "try")
    git(clone, "branch", "--quiet", "-D", "main")
    git(clone, "-c", "user.name=b", "-c", "user.email=b", "commit", "--quiet", "--allow-empty", "-m", "x")

    assert baseline_commit(clone) == left


def test_without_any_main_the_baseline_is_head(repository: Path, git: Git) -> None:
    git(repository, "branch", "--quiet", "-m", "main", "trunk")

    assert baseline_commit(repository) == git(repository, "rev-parse", "HEAD")


def test_unrelated_histories_have_no_baseline(repository: Path, git: Git) -> None:
    git(repository, "checkout", "--quiet", "--orphan", "other")
    commit(git, repository, "unrelated")

    assert baseline_commit(repository) is None


def test_a_file_is_read_as_it_was(repository: Path, git: Git) -> None:
    first = git(repository, "rev-parse", "HEAD")
    (repository / "model.py").write_text("layers = 50\n")
    (repository / "link").symlink_to("model.py")
    git(repository, "add", ".")
    second = commit(git, repository, "deeper")

    assert file_at(repository, first, "model.py") == b"layers = 18\n"
    assert file_at(repository, second, "model.py") == b"layers = 50\n"
    assert file_at(repository, first, "nothing.py") is None
    assert file_at(repository, second, "link") is None
    assert file_at(repository, "0" * 40, "model.py") is None

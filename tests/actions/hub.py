"""A fake of GitHub for tests: what it answers, and what it was asked, by the script fake_gh.py on PATH."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class FakeGitHub:
    """What GitHub answers, and what it was asked."""

    folder: Path

    def answers(self, *answers: dict[str, Any]) -> None:
        """Set the answers; see fake_gh.py."""
        (self.folder / "answers.json").write_text(json.dumps(answers))

    def calls(self) -> list[dict[str, Any]]:
        """All calls so far."""
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def sent(self) -> list[dict[str, Any]]:
        """The calls that change something."""
        return [call for call in self.calls() if call["method"] != "GET"]

    def programs(self) -> Path:
        """The folder to put first on PATH; FAKE_GH has to name `folder`."""
        return self.folder / "bin"


def make_fake_github(folder: Path) -> FakeGitHub:
    """Put the program into *folder*."""
    made = FakeGitHub(folder)
    made.programs().mkdir(parents=True)
    program = made.programs() / "gh"
    shutil.copyfile(Path(__file__).with_name("fake_gh.py"), program)
    program.write_text(program.read_text().replace("#!/usr/bin/env python3", f"#!{sys.executable}"))
    program.chmod(0o755)
    return made

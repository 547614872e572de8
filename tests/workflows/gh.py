#!/usr/bin/env python3
"""A fake of the program `gh` for steps: `api` goes to the fake of tests/actions, other calls are kept as they are."""

import json
import os
import sys
from pathlib import Path

if sys.argv[1:2] == ["api"]:
    api = Path(__file__).with_name("gh-api")
    os.execv(api, [str(api), *sys.argv[1:]])
KNOWN = (["auth", "setup-git"], ["release", "create"])
if sys.argv[1:3] not in KNOWN:
    sys.exit(f"fake gh: unknown call {sys.argv[1:]}")
with Path(os.environ["BOX"], "steps.jsonl").open("a") as calls:
    calls.write(json.dumps({"action": "gh", "words": sys.argv[1:]}) + "\n")
